// The command line as the commands describe it. The parser's own headers, which take seconds to compile, stay in three
// .cpp files behind this.
//
// Threads: one. Ownership: Command and Option are handles into their Program and must not outlive it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace nostro::cli {

class Option {
public:
    explicit Option(CLI::Option* option) : option_(option) {}

    Option required() const;
    Option with_default() const;  // --help shows what it is now
    Option repeatable() const;    // of a list: once for each text, so that none swallows what stands behind it
    Option between(std::int64_t least, std::int64_t most) const;
    Option one_of(std::vector<std::string> texts) const;
    Option at_least(std::uint64_t least) const;
    Option pair() const;  // NAME=VALUE

private:
    CLI::Option* option_;
};

class Command {
public:
    explicit Command(CLI::App* app) : app_(app) {}

    // "--name", "-n,--name"; without a dash it is known by its place. `into` has its default and must outlive the
    // parse.
    Option option(const std::string& name, std::string& into, const std::string& help) const;
    Option option(const std::string& name, std::vector<std::string>& into, const std::string& help) const;
    Option option(const std::string& name, std::uint32_t& into, const std::string& help) const;
    Option option(const std::string& name, std::uint64_t& into, const std::string& help) const;
    void flag(const std::string& name, bool& into, const std::string& help) const;
    void footer(const std::string& text) const;  // behind the options in --help

    Command add(const std::string& name, const std::string& help) const;
    Command add_group(const std::string& name, const std::string& help) const;  // one of its commands must be named
    // Called when the command line was parsed and this command is named in it.
    void runs(std::function<void()> body) const;

    const CLI::App& app() const { return *app_; }

private:
    CLI::App* app_;
};

class Program {
public:
    Program(const std::string& about, std::string_view version);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    Command commands() const { return Command(app_.get()); }

    // Parses, and runs the command that is named. False: wrong use, which was told. Help and version are no failures.
    bool run(int argc, char** argv);

private:
    std::unique_ptr<CLI::App> app_;
};

}  // namespace nostro::cli
