// The routes of a program that has no Book: it takes payments in, and says of all else who has the Book.
//
// What is answered `202` is durable and has the status `accepted`; it is decided elsewhere, once, under the same id.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "nostro/engine/policies.hpp"
#include "nostro/http/api.hpp"
#include "nostro/ports/intake.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

// Outlives the routes.
struct IntakeApi {
    Intake* intake = nullptr;
    const Policies* policies = nullptr;     // with the native tenant's: names of rails
    std::string book;                       // who has the Book, for people
    std::vector<ServedProfile> profiles{};  // whose messages it takes
    std::size_t command_bytes_max = 0;      // what the intake takes at most
};
// Answers 421: the route needs the Book. The api outlives it.
std::function<void(const Request&, const Reply&)> elsewhere(const IntakeApi& api);
// `native`: all that the owner of the Book serves; those that this one does not are answered 421.
std::vector<Route> intake_routes(const IntakeApi& api, std::vector<Route> native);

}  // namespace nostro
