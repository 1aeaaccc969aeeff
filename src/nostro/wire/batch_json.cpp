#include "nostro/wire/batch_json.hpp"

#include <fmt/format.h>

#include <array>

#include "nostro/base/text.hpp"
#include "nostro/wire/account_fields.hpp"
#include "nostro/wire/payment_fields.hpp"

namespace nostro {
namespace {

// Reads one item's object into whatever it is and tells it; errors of the item are in `errors`.
class PaymentItems {
public:
    explicit PaymentItems(const std::function<void(const BatchItem&)>& each) : each_(each) {}
    static constexpr std::string_view kList = "/payments";

    void read(JsonBody& body, ondemand::object& object) { read_payment_fields(body, object, nullptr, wish_); }
    void forget() { wish_.payment.key = {}; }  // reading begins with an empty one
    void tell(std::size_t index, const FieldErrors& errors) {
        each_({index, wish_.payment.key, errors.empty() ? &wish_ : nullptr, &errors});
    }

private:
    const std::function<void(const BatchItem&)>& each_;
    PaymentWish wish_;
};

class AccountItems {
public:
    AccountItems(const Policy& policy, const std::function<void(const AccountItem&)>& each)
        : policy_(policy), each_(each) {}
    static constexpr std::string_view kList = "/accounts";

    void read(JsonBody& body, ondemand::object& object) { read_account_fields(body, object, policy_, account_); }
    void forget() { account_ = {}; }
    void tell(std::size_t index, const FieldErrors& errors) {
        each_({index, account_.name, errors.empty() ? &account_ : nullptr, &errors});
    }

private:
    const Policy& policy_;
    const std::function<void(const AccountItem&)>& each_;
    OpenAccount account_;
};

constexpr std::string_view kTooMany = "at most 10000 items are taken at once; split the batch";
constexpr std::string_view kNone = "there is nothing in this batch";

// The items of one list, each with errors of its own. False: the body as a whole is refused.
template <class Items>
class ItemList {
public:
    ItemList(JsonBody& body, FieldErrors& errors, Items& items) : body_(body), errors_(errors), items_(items) {}

    bool read(ondemand::array& array, std::string_view pointer) {
        for (auto element : array) {
            if (count_ == kBatchMax) {
                errors_.add(std::string(pointer), "too_many_items", std::string(kTooMany));
                return false;
            }
            ondemand::value value;
            if (const auto error = std::move(element).get(value); error != simdjson::SUCCESS)
                return body_.broken(error);
            read_item(value);
            body_.set_errors(errors_);
            if (!body_.ok()) {
                for (const auto& error : of_item_.list()) errors_.add(error.pointer, error.code, error.detail);
                return false;
            }
            items_.tell(count_++, of_item_);
        }
        return true;
    }
    std::size_t count() const { return count_; }

private:
    void read_item(ondemand::value& value) {
        of_item_.clear();
        items_.forget();
        body_.set_errors(of_item_);
        const auto type = type_of(body_, value);
        if (type == kNoType) return;
        if (type != ondemand::json_type::object) {
            body_.wrong("", "not_an_object", "this item is no JSON object; send {\"name\": value, ...}");
            return;
        }
        if (auto object = as_object(body_, value)) items_.read(body_, *object);
    }

    JsonBody& body_;
    FieldErrors& errors_;
    Items& items_;
    FieldErrors of_item_;
    std::size_t count_ = 0;
};

void read_mode(JsonBody& body, ondemand::value& value, std::string_view pointer, BatchMode& into) {
    const auto text = read_raw_text(body, value, pointer);
    if (!text) return;
    const auto mode = parse_batch_mode(*text);
    if (!mode) return body.wrong(pointer, "unknown_value", "send \"independent\" or \"atomic\"");
    into = *mode;
}

// {"payments":[...],"mode":...}; nullopt: refused as a whole.
template <class Items>
std::optional<Batch> read_batch(JsonReader& reader, const JsonInput& input, bool has_mode, const BatchTexts& texts,
                                Items items, FieldErrors& errors) {
    const std::array<std::string_view, 2> names = {Items::kList, "/mode"};
    JsonBody body(reader.state(), texts.arena, errors);
    if (texts.input_stays) body.let_texts_stay();
    auto document = body.open(input);
    if (!document) return std::nullopt;
    auto object = body.object(*document);
    if (!object) return std::nullopt;

    Batch batch;
    ItemList<Items> list(body, errors, items);
    const auto each = [&](std::size_t field, ondemand::value& value, std::string_view pointer, ondemand::json_type) {
        if (field == 1) return read_mode(body, value, pointer, batch.mode);
        if (!expect(body, value, ondemand::json_type::array, pointer, "an array")) return;
        if (auto array = as_array(body, value)) list.read(*array, pointer);
    };
    const FieldSet seen = each_field(body, *object, std::span(names).first(has_mode ? 2 : 1), "", each);
    require(body, seen, names, std::array<std::size_t, 1>{0}, "");
    if (errors.empty()) body.at_end(*document);
    batch.count = list.count();
    if (errors.empty() && batch.count == 0) {
        errors.add(std::string(Items::kList), "no_items", std::string(kNone));
    }
    if (!errors.empty()) return std::nullopt;
    return batch;
}

// One item, alone in its line.
template <class Items>
void read_line(JsonReader& reader, const JsonInput& line, const BatchTexts& texts, Items& items, FieldErrors& errors) {
    JsonBody body(reader.state(), texts.arena, errors);
    if (texts.input_stays) body.let_texts_stay();
    if (line.text.size() > kBatchLineMax) {
        return body.wrong("", "too_long",
                          fmt::format("a line of {} bytes; at most {} are allowed", line.text.size(), kBatchLineMax));
    }
    auto document = body.open(line);
    if (!document) return;
    auto object = body.object(*document);
    if (!object) return;
    items.read(body, *object);
    body.at_end(*document);
}

template <class Items>
std::optional<std::size_t> read_lines(JsonReader& reader, const JsonInput& input, const BatchTexts& texts, Items items,
                                      FieldErrors& errors) {
    std::size_t count = 0;
    FieldErrors of_item;
    std::string_view rest = input.text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        const auto offset = static_cast<std::size_t>(rest.data() - input.text.data());
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (trim(line).empty()) continue;
        if (count == kBatchMax) {
            errors.add("", "too_many_items", std::string(kTooMany));
            return std::nullopt;
        }
        of_item.clear();
        items.forget();
        // What stands behind a line may be read as its padding, whatever it is.
        const std::size_t capacity = std::max(input.capacity, input.text.size()) - offset;
        read_line(reader, {line, capacity}, texts, items, of_item);
        items.tell(count++, of_item);
    }
    if (count == 0) {
        errors.add("", "no_items", std::string(kNone));
        return std::nullopt;
    }
    return count;
}

}  // namespace

std::optional<BatchMode> parse_batch_mode(std::string_view text) {
    if (text == "independent") return BatchMode::independent;
    if (text == "atomic") return BatchMode::atomic;
    return std::nullopt;
}

std::optional<Batch> read_payment_batch(JsonReader& reader, const JsonInput& input, const BatchTexts& texts,
                                        const std::function<void(const BatchItem&)>& each, FieldErrors& errors) {
    return read_batch(reader, input, true, texts, PaymentItems(each), errors);
}

std::optional<Batch> read_payment_lines(JsonReader& reader, const JsonInput& input, BatchMode mode,
                                        const BatchTexts& texts, const std::function<void(const BatchItem&)>& each,
                                        FieldErrors& errors) {
    const auto count = read_lines(reader, input, texts, PaymentItems(each), errors);
    if (!count) return std::nullopt;
    return Batch{mode, *count};
}

std::optional<std::size_t> read_account_batch(JsonReader& reader, const JsonInput& input, const Policy& policy,
                                              Arena& arena, const std::function<void(const AccountItem&)>& each,
                                              FieldErrors& errors) {
    const auto batch = read_batch(reader, input, false, arena, AccountItems(policy, each), errors);
    if (!batch) return std::nullopt;
    return batch->count;
}

std::optional<std::size_t> read_account_lines(JsonReader& reader, const JsonInput& input, const Policy& policy,
                                              Arena& arena, const std::function<void(const AccountItem&)>& each,
                                              FieldErrors& errors) {
    return read_lines(reader, input, arena, AccountItems(policy, each), errors);
}

}  // namespace nostro
