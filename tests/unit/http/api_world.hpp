// A whole engine in memory, with a query index on a temporary folder, behind a real server; and a client that checks
// every answer against the OpenAPI document.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/engine/checkpoints.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/http/api.hpp"
#include "nostro/http/server.hpp"
#include "nostro/journal/query_index.hpp"
#include "tests/unit/http/json_schema.hpp"
#include "tests/unit/http/raw_client.hpp"

namespace nostro::test {

// One answer, parsed.
struct Told {
    int status = 0;
    std::string head, body;
    std::shared_ptr<simdjson::dom::parser> parser;
    simdjson::dom::element json;  // only if is_json
    bool is_json = false;

    // Of a member by JSON Pointer, as text; "(null)" and "(absent)" for what they say.
    std::string operator[](std::string_view pointer) const;
    bool has_header(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class ApiWorld {
public:
    explicit ApiWorld(std::string_view policy = {});
    ~ApiWorld();

    Told send(std::string_view method, std::string_view target, std::string_view body = {},
              std::string_view headers = {}, std::string_view type = "application/json");
    Told get(std::string_view target) { return send("GET", target); }
    Told post(std::string_view target, std::string_view body = {}, std::string_view headers = {}) {
        return send("POST", target, body, headers);
    }
    // A payment of USD from A to B.
    Told pay(std::string_view key, std::string_view amount, std::string_view more = {}, std::string_view headers = {});
    Told open(std::string_view account, std::string_view opening = "0.00");

    Service& service() { return *service_; }
    MemoryJournal& journal() { return *journal_; }
    Server& server() { return *server_; }
    const Router& router() const { return *router_; }
    const std::string& openapi() const { return openapi_; }

private:
    void check(const std::string& request, std::string_view method, std::string_view path, const Told& told);

    std::string folder_;
    SystemClock clock_;
    MetricsRegistry registry_;
    std::shared_ptr<MemoryLog> log_;
    std::unique_ptr<MemoryJournal> journal_;
    std::unique_ptr<FrameCache> frames_;
    std::unique_ptr<QueryIndex> index_;
    std::unique_ptr<Service> service_;
    std::unique_ptr<Checkpoints> checkpoints_;
    Api api_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<HttpMetrics> metrics_;
    std::unique_ptr<Server> server_;
    std::string openapi_;
    std::unique_ptr<JsonSchemas> schemas_;
    std::unique_ptr<RawClient> client_;
};

}  // namespace nostro::test
