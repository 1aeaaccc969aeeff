#include "nostro/base/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/base/unique_fd.hpp"

namespace nostro {
namespace {

using ::testing::HasSubstr;

// The time stamps, which no test can know, cut off.
std::string_view without_time(std::string_view line) { return line.substr(kRfc3339Size + 1); }

class LogTest : public ::testing::Test {
protected:
    LogTest() {
        configure_log({});
        set_log_sink([this](std::string_view line) { lines_.emplace_back(line); });
    }
    ~LogTest() override {
        set_log_sink({});
        configure_log({});
    }

    std::vector<std::string> lines_;
};

TEST_F(LogTest, ALineIsTimeLevelEventAndFields) {
    log_warn("segment_slow", {{"segment", 17},
                              {"write_us", std::uint64_t{5300}},
                              {"share", 0.5},
                              {"direct", true},
                              {"path", "data/0017.seg"},
                              {"why", std::string("two words")}});
    ASSERT_EQ(lines_.size(), 1u);
    EXPECT_TRUE(parse_rfc3339(lines_[0].substr(0, kRfc3339Size)));
    EXPECT_EQ(without_time(lines_[0]),
              "warn segment_slow segment=17 write_us=5300 share=0.5 direct=true path=data/0017.seg why=\"two words\"");
}

TEST_F(LogTest, NoValueCanForgeALineOrAField) {
    log_info("event", {{"a", "x\n2026 error forged"}, {"b", "c=d"}, {"c", ""}, {"d", "\"quoted\""}, {"e", "\xFF"}});
    ASSERT_EQ(lines_.size(), 1u);
    EXPECT_EQ(without_time(lines_[0]), R"(info event a="x\n2026 error forged" b="c=d" c="" d="\"quoted\"" e=")"
                                       "\xEF\xBF\xBD\"");
}

TEST_F(LogTest, JsonHasTheSameContent) {
    configure_log({.format = LogFormat::json});
    log_error("journal_failed", {{"errno", 28}, {"what", "no \"space\""}, {"fatal", true}});
    ASSERT_EQ(lines_.size(), 1u);
    EXPECT_THAT(lines_[0], ::testing::StartsWith(R"({"at":"2)"));
    EXPECT_THAT(lines_[0],
                ::testing::EndsWith(
                    R"(Z","level":"error","event":"journal_failed","errno":28,"what":"no \"space\"","fatal":true})"));
}

TEST_F(LogTest, LevelsBelowTheConfiguredOneAreLeftOut) {
    log_debug("quiet");
    configure_log({.level = LogLevel::warn});
    log_info("quiet");
    log_warn("loud");
    log_error("loud_too");
    ASSERT_EQ(lines_.size(), 2u);
    configure_log({.level = LogLevel::debug});
    log_debug("now");
    EXPECT_EQ(lines_.size(), 3u);
}

TEST_F(LogTest, AnEventThatRepeatsIsCutButOthersPass) {
    configure_log({.per_second = 3});
    for (int i = 0; i < 1000; ++i) log_info("busy");
    log_info("rare");
    // A new second may begin in between, then three more pass; a thousand never do.
    EXPECT_GE(lines_.size(), 4u);
    EXPECT_LT(lines_.size(), 500u);
    EXPECT_EQ(without_time(lines_.back()), "info rare");
}

TEST_F(LogTest, TheNextLineThatPassesSaysHowManyDidNot) {
    configure_log({.per_second = 1});
    std::size_t written = 0;
    const auto deadline = steady_now() + std::chrono::seconds(30);
    while (lines_.size() < 2 && steady_now() < deadline) {
        log_info("busy");
        ++written;
    }
    ASSERT_EQ(lines_.size(), 2u);
    EXPECT_EQ(without_time(lines_[1]), "info busy suppressed=" + std::to_string(written - 2));
}

TEST_F(LogTest, ManyEventNamesShareTheLastAllowance) {
    configure_log({.per_second = 1});
    for (int i = 0; i < 5000; ++i) log_info("event_" + std::to_string(i));
    EXPECT_GE(lines_.size(), 1024u);
    EXPECT_LT(lines_.size(), 2500u);
}

TEST_F(LogTest, ThreadsDoNotMixTheirLines) {
    configure_log({.per_second = 1'000'000});
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([t] {
                for (int i = 0; i < 200; ++i) log_info("from_thread", {{"thread", t}, {"i", i}});
            });
        }
    }
    ASSERT_EQ(lines_.size(), 800u);
    for (const auto& line : lines_) EXPECT_THAT(std::string(without_time(line)), HasSubstr("info from_thread thread="));
}

TEST_F(LogTest, LevelNamesReadBack) {
    for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
        EXPECT_EQ(log_level_from(name(level)), level);
    }
    EXPECT_EQ(log_level_from("verbose"), std::nullopt);
}

// Standard error as a pipe, for the time of a test.
class StderrPipe {
public:
    StderrPipe() {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        read_.reset(ends[0]);
        saved_.reset(::dup(STDERR_FILENO));
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[1]);
    }
    ~StderrPipe() { restore(); }

    // Everything up to the log's last line. Reads beside the writer, which the pipe would hold up.
    std::string read_all() {
        std::string text;
        {
            std::jthread reader([&] {
                char piece[4096];
                for (ssize_t got; (got = ::read(read_.get(), piece, sizeof piece)) > 0;) {
                    text.append(piece, static_cast<std::size_t>(got));
                }
            });
            flush_log();
            restore();  // which closes the pipe's last writing end
        }
        return text;
    }

private:
    void restore() {
        if (saved_) ::dup2(saved_.get(), STDERR_FILENO);
        saved_.reset();
    }

    UniqueFd read_, saved_;
};

TEST(LogOutputTest, LinesReachStandardErrorInTheirOrder) {
    configure_log({.per_second = 1000});
    StderrPipe pipe;
    for (int i = 0; i < 100; ++i) log_info("numbered", {{"i", i}});
    std::size_t at = 0;
    const std::string text = pipe.read_all();
    for (int i = 0; i < 100; ++i) {
        at = text.find(" info numbered i=" + std::to_string(i) + "\n", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    configure_log({});
}

TEST(LogOutputTest, AStuckStandardErrorHoldsNobodyUp) {
    configure_log({.per_second = 1'000'000});
    StderrPipe pipe;  // holds 64 KiB, nobody reads
    const std::string long_text(200, 'x');
    for (int i = 0; i < 20'000; ++i) log_info("flood", {{"text", long_text}});
    // Far more than pipe and queue can hold were taken: a caller that waits would never get here.
    const std::string text = pipe.read_all();
    const auto lines = std::count(text.begin(), text.end(), '\n');
    EXPECT_GT(lines, 1000);
    EXPECT_LT(lines, 20'000);
    EXPECT_TRUE(text.ends_with('\n'));
    configure_log({});
}

TEST(LogDeathTest, WhatWasLoggedBeforeAnExitIsWritten) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");  // a fork alone would be without the log's thread
    const auto log_and_exit = [] {
        log_error("last_words", {{"code", 7}});
        std::exit(7);
    };
    EXPECT_EXIT(log_and_exit(), ::testing::ExitedWithCode(7), "error last_words code=7");
}

}  // namespace
}  // namespace nostro
