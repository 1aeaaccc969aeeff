// A database of a test's own, on the server that NOSTRO_POSTGRES_URL names.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

#include "nostro/adapters/postgres/client.hpp"

namespace nostro::test {

inline std::string server_url() {
    const char* url = std::getenv("NOSTRO_POSTGRES_URL");  // NOLINT(concurrency-mt-unsafe)
    if (url == nullptr)
        throw std::runtime_error("NOSTRO_POSTGRES_URL is not set: ./dev servers postgres start prints it");
    return url;
}

inline std::unique_ptr<PostgresClient> connected(const std::string& address) {
    // A server that gets no processor for a while lets nobody in within the five seconds of a try.
    auto client = PostgresClient::connect(address, 10, std::chrono::milliseconds(100));
    if (!client) throw std::runtime_error(client.error().what);
    return std::move(*client);
}

class Database {
public:
    Database() {
        static std::atomic<int> number = 0;
        name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++number);
        run(*connected(server_url()), "CREATE DATABASE " + name_);
        const std::vector<std::pair<std::string, std::string>> parts = {{"dbname", name_}};
        address_ = *postgres_address(server_url(), parts);
        client_ = connected(address_);
    }
    ~Database() {
        client_.reset();
        (void)connected(server_url())->script("DROP DATABASE " + name_ + " WITH (FORCE)");
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    const std::string& address() const { return address_; }
    PostgresClient& client() { return *client_; }
    void run(const std::string& sql) { run(*client_, sql); }
    // The first column of all rows, a line each.
    std::string lines(const std::string& sql) const {
        const auto answer = client_->run({sql});
        EXPECT_TRUE(answer) << (answer ? "" : answer.error().what);
        std::string text;
        for (int row = 0; answer && row < answer->rows(); ++row) text.append(answer->text(row, 0)).append("\n");
        return text;
    }

private:
    static void run(PostgresClient& client, const std::string& sql) {
        const auto done = client.script(sql);
        if (!done) throw std::runtime_error(done.error().what);
    }
    std::string name_, address_;
    std::unique_ptr<PostgresClient> client_;
};

}  // namespace nostro::test
