#include "tests/unit/http/api_world.hpp"

#include <cstdlib>
#include <filesystem>

#include "nostro/base/embedded.hpp"

namespace nostro::test {
namespace {

// Reviews from 500 on, rejects above 5,000; a limit of 10 debits a day.
constexpr std::string_view kPolicy = R"(
tenant = "nostro"
[thresholds]
review = 50
reject = 100
[[rule]]
name = "large"
kind = "amount_band"
above = { USD = "500.00" }
points = 60
[[rule]]
name = "huge"
kind = "amount_band"
above = { USD = "5000.00" }
points = 60
[[limit]]
name = "daily_debit_sum"
side = "debit"
measure = "sum"
currency = "USD"
at_most = "100000.00"
window = { days = 1, zone = "UTC" }
when_exceeded = "reject"
)";

std::string temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "api-world-XXXXXX").string();
    return mkdtemp(name.data());
}

}  // namespace

std::string Told::operator[](std::string_view pointer) const {
    simdjson::dom::element found;
    if (parser == nullptr || !is_json) return "(no JSON)";
    if (json.at_pointer(pointer).get(found) != simdjson::SUCCESS) return "(absent)";
    if (found.is_null()) return "(null)";
    std::string_view text;
    if (found.get(text) == simdjson::SUCCESS) return std::string(text);
    return simdjson::minify(found);
}

ApiWorld::ApiWorld(std::string_view policy) : folder_(temporary_folder()), log_(std::make_shared<MemoryLog>()) {
    journal_ = std::make_unique<MemoryJournal>(log_);
    frames_ = std::make_unique<FrameCache>(*journal_, 8u << 20);
    frames_->set_accepted(~Seq{0});  // the index asks only for what it was given
    auto index = QueryIndex::open({folder_ + "/index"}, [this](Seq seq) { return frames_->frame(seq); });
    EXPECT_TRUE(index) << index.error().what;
    index_ = std::move(*index);

    ServiceParts parts;
    parts.journal = journal_.get();
    parts.index = index_.get();
    parts.projections = {{"index", index_.get()}};
    parts.clock = &clock_;
    parts.metrics = &registry_;
    parts.fatal = [](const Error& error) { ADD_FAILURE() << error.what; };
    ServiceOptions options;
    options.book = {.accounts_max = 1000,
                    .counters_max = 1000,
                    .holds_max = 1000,
                    .reversed_max = 1000,
                    .bounds_max = 1000,
                    .known_max = 100'000};
    options.default_policy = policy.empty() ? kPolicy : policy;
    options.fresh_wait = std::chrono::seconds(10);
    service_ = std::make_unique<Service>(std::move(parts), std::move(options));
    const auto started = service_->start();
    EXPECT_TRUE(started) << started.error().what;

    checkpoints_ = std::make_unique<Checkpoints>(*journal_, clock_, SigningKey::random(), std::vector<Checkpoint>(),
                                                 [](const Checkpoint&) -> Result<> { return {}; });
    api_ = Api();
    api_.service = service_.get();
    api_.metrics = &registry_;
    api_.clock = &clock_;
    api_.version = "1.2.3";
    api_.checkpoints = checkpoints_.get();
    auto routes = native_routes(api_);
    add_pages(routes, api_);
    router_ = std::make_unique<Router>(std::move(routes));
    metrics_ = std::make_unique<HttpMetrics>(registry_, *router_);
    ServerOptions server;
    server.port = 0;
    auto listening = Server::start(server, *router_, *metrics_);
    EXPECT_TRUE(listening) << listening.error().what;
    server_ = std::move(*listening);
    client_ = std::make_unique<RawClient>(server_->port());
    EXPECT_TRUE(client_->send("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    openapi_ = client_->response().body;
    schemas_ = std::make_unique<JsonSchemas>(openapi_);
}

ApiWorld::~ApiWorld() {
    client_.reset();
    server_.reset();
    service_.reset();
    index_.reset();
    std::filesystem::remove_all(folder_);
}

Told ApiWorld::send(std::string_view method, std::string_view target, std::string_view body, std::string_view headers,
                    std::string_view type) {
    std::string request(method);
    request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(headers);
    if (!body.empty()) {
        request.append("Content-Type: ").append(type).append("\r\nContent-Length: ");
        request.append(std::to_string(body.size())).append("\r\n");
    }
    request.append("\r\n").append(body);
    EXPECT_TRUE(client_->send(request));
    const RawResponse response = client_->response();
    Told told;
    told.status = response.status;
    told.head = response.head;
    told.body = response.body;
    told.parser = std::make_shared<simdjson::dom::parser>();
    if (told.head.find("json") != std::string::npos) {
        auto parsed = told.parser->parse(told.body);
        EXPECT_EQ(parsed.error(), simdjson::SUCCESS) << told.body;
        told.is_json = parsed.error() == simdjson::SUCCESS;
        if (told.is_json) told.json = parsed.value();
    }
    check(request, method, target.substr(0, target.find('?')), told);
    return told;
}

// The status is documented, and the body is what the document says.
void ApiWorld::check(const std::string& request, std::string_view method, std::string_view path, const Told& told) {
    const Method verb = method == "GET"     ? Method::get
                        : method == "PUT"   ? Method::put
                        : method == "PATCH" ? Method::patch
                                            : Method::post;
    const auto found = router_->find(verb, path);
    if (found.route == nullptr || found.route->hidden) return;
    const std::string key = method == "GET" ? "get" : method == "PUT" ? "put" : method == "PATCH" ? "patch" : "post";
    const auto operation = schemas_->document()["paths"][found.route->path][key];
    auto answer = operation["responses"][std::to_string(told.status)];
    if (answer.error() != simdjson::SUCCESS) answer = operation["responses"]["default"];
    const std::size_t at = told.head.find("Content-Type: ") + 14;
    const std::string type = told.head.substr(at, std::min(told.head.find("\r\n", at), told.head.find(';', at)) - at);
    simdjson::dom::element schema;
    ASSERT_EQ(answer["content"][type]["schema"].get(schema), simdjson::SUCCESS) << request << told.head << told.body;
    if (type.find("json") == std::string::npos || !told.is_json) return;
    EXPECT_EQ(schemas_->fault(told.json, schema), "") << request << "\n" << told.body;
}

Told ApiWorld::pay(std::string_view key, std::string_view amount, std::string_view more, std::string_view headers) {
    const std::string body = R"({"debtor_account":"A","creditor_account":"B","currency":"USD","amount":")" +
                             std::string(amount) + "\"" + std::string(more) + "}";
    return post("/v1/payments", body, "Idempotency-Key: " + std::string(key) + "\r\n" + std::string(headers));
}

Told ApiWorld::open(std::string_view account, std::string_view opening) {
    return post("/v1/accounts", R"({"account_id":")" + std::string(account) +
                                    R"(","currency":"USD","opening_balance":")" + std::string(opening) + "\"}");
}

}  // namespace nostro::test
