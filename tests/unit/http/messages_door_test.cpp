// Messages of a profile, at a door behind which commands have a largest size.
#include <gtest/gtest.h>

#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/http/profile_messages.hpp"
#include "nostro/profiles/profile.hpp"
#include "tests/unit/http/api_world.hpp"
#include "tests/unit/http/server_world.hpp"

namespace nostro {
namespace {

TEST(MessagesDoorTest, AMessageThatBecomesTooMuchIsToldByItsLineAndTheOthersGoOn) {
    test::ApiWorld world;
    const ProfileEntry* entry = find_profile("upi");
    ASSERT_NE(entry, nullptr);
    const auto profile = entry->make({});
    ASSERT_TRUE(profile) << profile.error().what;
    const SystemClock clock;
    TenantLedger ledger(world.service(), clock, entry->tenant);
    const ServedProfile served{.entry = entry, .profile = profile->get(), .ledger = &ledger};
    const MessageDoor door{.profiles = {&served, 1},
                           .service = &world.service(),
                           .message_bytes_max = 3'000,
                           .command_bytes_max = 2'000,
                           .policies = &world.service().policies()};
    Route route = messages_route();
    route.handler = [&door](const Request& request, const Reply& reply) { post_messages(door, request, reply); };
    const Router router({route});
    MetricsRegistry registry;
    HttpMetrics metrics(registry, router, true);
    ServerOptions options;
    options.port = 0;
    const auto server = Server::start(options, router, metrics);
    ASSERT_TRUE(server) << server.error().what;

    // Refused for ever, so that each is kept as a record, whole.
    std::string body;
    for (const std::size_t note : {10, 2'500, 10}) {
        body += R"({"tx_id":"t)" + std::to_string(body.size()) +
                R"(","payer_id":"a","payee_id":"b","amount":-1,"note":")" + std::string(note, 'x') + "\"}\n";
    }
    test::RawClient client((*server)->port());
    ASSERT_TRUE(
        client.send("POST /v1/profiles/upi/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                    "application/x-ndjson\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body));
    const auto answer = client.response();
    EXPECT_EQ(answer.status, 202) << answer.body;
    EXPECT_NE(answer.body.find(R"("taken":3,"replayed":0,"records":2,"accounts":0,"dead_letters":1)"),
              std::string::npos)
        << answer.body;
    EXPECT_NE(answer.body.find(R"("unreadable":[{"line":2,"detail":"a message that becomes )"), std::string::npos)
        << answer.body;
    EXPECT_NE(answer.body.find("bytes; at most 2000"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace nostro
