#include "nostro/wire/request_json.hpp"

#include <array>

#include "nostro/base/text.hpp"
#include "nostro/wire/json_fields.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {
namespace {

// A body of a few fields. `each` as in each_field. An empty one counts as {} where that is allowed.
template <std::size_t N, class Each>
bool read_small(JsonReader& reader, const JsonInput& input, Arena& arena, FieldErrors& errors,
                const std::array<std::string_view, N>& names, std::span<const std::size_t> required, bool may_be_empty,
                Each each) {
    if (may_be_empty && trim(input.text).empty()) return true;
    JsonBody body(reader.state(), arena, errors);
    auto document = body.open(input);
    if (!document) return false;
    auto object = body.object(*document);
    if (!object) return false;
    const FieldSet seen = each_field(body, *object, names, "",
                                     [&](std::size_t field, ondemand::value& value, std::string_view pointer,
                                         ondemand::json_type) { each(body, field, value, pointer); });
    require(body, seen, names, required, "");
    body.at_end(*document);
    return errors.empty();
}

void set(std::string_view& to, const std::optional<std::string_view>& text) { to = text.value_or(std::string_view()); }

void set_amount(AmountText& to, const std::optional<std::string_view>& text) {
    if (text) to = {*text, true};
}

constexpr TextRule kNote{.max = kNoteMax, .lines = true};

}  // namespace

bool read_capture(JsonReader& reader, const JsonInput& input, Arena& arena, CaptureBody& into, FieldErrors& errors) {
    into = {};
    static constexpr std::array<std::string_view, 1> kNames = {"/amount"};
    return read_small(reader, input, arena, errors, kNames, {}, true,
                      [&](JsonBody& body, std::size_t, ondemand::value& value, std::string_view pointer) {
                          set_amount(into.amount, read_amount_text(body, value, pointer));
                      });
}

bool read_reverse(JsonReader& reader, const JsonInput& input, Arena& arena, ReverseBody& into, FieldErrors& errors) {
    into = {};
    static constexpr std::array<std::string_view, 3> kNames = {"/amount", "/reference", "/description"};
    return read_small(reader, input, arena, errors, kNames, {}, true,
                      [&](JsonBody& body, std::size_t field, ondemand::value& value, std::string_view pointer) {
                          if (field == 0) return set_amount(into.amount, read_amount_text(body, value, pointer));
                          const TextRule rule{.max = field == 1 ? kReferenceMax : kDescriptionMax};
                          set(field == 1 ? into.reference : into.description, read_text(body, value, pointer, rule));
                      });
}

bool read_review(JsonReader& reader, const JsonInput& input, Arena& arena, ReviewBody& into, FieldErrors& errors) {
    into = {};
    static constexpr std::array<std::string_view, 2> kNames = {"/reviewer", "/reason"};
    static constexpr std::array<std::size_t, 2> kRequired = {0, 1};
    return read_small(reader, input, arena, errors, kNames, kRequired, false,
                      [&](JsonBody& body, std::size_t field, ondemand::value& value, std::string_view pointer) {
                          const TextRule reviewer{.max = kReviewerMax, .may_be_empty = false};
                          const TextRule reason{.max = kNoteMax, .may_be_empty = false, .lines = true};
                          set(field == 0 ? into.reviewer : into.reason,
                              read_text(body, value, pointer, field == 0 ? reviewer : reason));
                      });
}

bool read_reconcile(JsonReader& reader, const JsonInput& input, Arena& arena, ReconcileBody& into,
                    FieldErrors& errors) {
    into = {};
    static constexpr std::array<std::string_view, 3> kNames = {"/mode", "/by", "/reason"};
    static constexpr std::array<std::size_t, 1> kRequired = {0};
    const bool fine =
        read_small(reader, input, arena, errors, kNames, kRequired, false,
                   [&](JsonBody& body, std::size_t field, ondemand::value& value, std::string_view pointer) {
                       if (field == 1) return set(into.by, read_text(body, value, pointer, {.max = kReviewerMax}));
                       if (field == 2) return set(into.reason, read_text(body, value, pointer, kNote));
                       set(into.mode, read_text(body, value, pointer, {.max = kReviewerMax}));
                       if (into.mode != "compare" && into.mode != "repair" && into.mode != "adopt") {
                           body.wrong(pointer, "unknown_value", "is none of compare, repair, adopt");
                       }
                   });
    if (!fine || into.mode != "adopt") return fine;
    if (into.by.empty()) errors.add("/by", "missing", "to adopt names who decided it");
    if (into.reason.empty()) errors.add("/reason", "missing", "to adopt says why");
    return errors.empty();
}

bool read_policy(JsonReader& reader, const JsonInput& input, Arena& arena, PolicyBody& into, FieldErrors& errors) {
    into = {};
    static constexpr std::array<std::string_view, 2> kNames = {"/policy", "/by"};
    static constexpr std::array<std::size_t, 1> kRequired = {0};
    return read_small(reader, input, arena, errors, kNames, kRequired, false,
                      [&](JsonBody& body, std::size_t field, ondemand::value& value, std::string_view pointer) {
                          const TextRule text{.max = input.text.size(), .may_be_empty = false, .lines = true};
                          set(field == 0 ? into.text : into.by,
                              read_text(body, value, pointer, field == 0 ? text : TextRule{.max = kReviewerMax}));
                      });
}

bool read_dead_letter(JsonReader& reader, const JsonInput& input, Arena& arena, KeepDeadLetter& into,
                      FieldErrors& errors) {
    into = {};
    static constexpr std::array<std::string_view, 5> kNames = {"/source", "/position", "/format", "/why", "/text"};
    static constexpr std::array<std::size_t, 4> kRequired = {0, 1, 3, 4};
    return read_small(reader, input, arena, errors, kNames, kRequired, false,
                      [&](JsonBody& body, std::size_t field, ondemand::value& value, std::string_view pointer) {
                          const auto text = [&](std::string_view& to, const TextRule& rule) {
                              set(to, read_text(body, value, pointer, rule));
                          };
                          switch (field) {
                              case 0: return text(into.source, {.max = kLetterSourceMax, .may_be_empty = false});
                              case 1: return text(into.position, {.max = kLetterPositionMax, .may_be_empty = false});
                              case 2: return text(into.format, {.max = kLetterFormatMax});
                              case 3: return text(into.why, {.max = kNoteMax, .may_be_empty = false, .lines = true});
                              default: break;
                          }
                          if (const auto bytes = read_raw_text(body, value, pointer)) into.bytes = arena.copy(*bytes);
                      });
}

namespace {

template <std::size_t N>
bool read_letter(JsonReader& reader, const JsonInput& input, Arena& arena, LetterBody& into, FieldErrors& errors,
                 const std::array<std::string_view, N>& names) {
    into = {};
    return read_small(reader, input, arena, errors, names, {}, true,
                      [&](JsonBody& body, std::size_t field, ondemand::value& value, std::string_view pointer) {
                          if (field == 2) return set(into.payment, read_json_object(body, value, pointer));
                          const TextRule by{.max = kReviewerMax};
                          set(field == 0 ? into.by : into.note,
                              read_text(body, value, pointer, field == 0 ? by : kNote));
                      });
}

}  // namespace

bool read_discard(JsonReader& reader, const JsonInput& input, Arena& arena, LetterBody& into, FieldErrors& errors) {
    static constexpr std::array<std::string_view, 2> kNames = {"/by", "/note"};
    return read_letter(reader, input, arena, into, errors, kNames);
}

bool read_redrive(JsonReader& reader, const JsonInput& input, Arena& arena, LetterBody& into, FieldErrors& errors) {
    static constexpr std::array<std::string_view, 3> kNames = {"/by", "/note", "/payment"};
    return read_letter(reader, input, arena, into, errors, kNames);
}

}  // namespace nostro
