// One nostro put together: disk, journal, Book, projections, HTTP. The only place that names an adapter.
//
// Reads top to bottom in the order in which a payment flows. Threads: start and stop from one.
#pragma once
#include <memory>
#include <string>

#include "nostro/app/config.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

class Wiring final : public Serving {
public:
    // Recovers, starts all threads, listens. Errors say what to do: `conflict` (another program owns the directory),
    // `corrupt` (acknowledged data is missing), `unavailable` (port taken, no space), `invalid` (configuration).
    static Result<std::unique_ptr<Wiring>> start(const Config& config);
    ~Wiring() override;  // as stop()

    std::string url() const override;
    std::string public_key() const override;
    // Listens no more, settles and answers what was taken, ends all threads.
    void stop() override;

private:
    struct Parts;
    explicit Wiring(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// The policy of an empty journal, as TOML: policy.file, else the built-in one.
Result<std::string> first_policy(const Config& config);

// "127.0.0.1:8000", "[::1]:0"
struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
};
Result<ListenAddress> parse_listen(std::string_view text);
// Whether server.listen may be listened on; asked before anything is made.
Result<> check_listen(const Config& config);

}  // namespace nostro
