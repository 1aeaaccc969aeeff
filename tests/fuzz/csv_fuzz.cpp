// CSV from any bytes: rows keep their bounds, and what becomes a payment is one line of JSON.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "nostro/base/assert.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/formats/csv.hpp"
#include "nostro/formats/payment_columns.hpp"
#include "nostro/formats/paysim.hpp"

namespace nostro {
namespace {

void check_error(const Error& error) {
    NOSTRO_ASSERT(error.code == ErrorCode::invalid && is_valid_utf8(error.what), "an error is readable");
}

void check_payment(const PaymentColumns& columns, std::span<const std::string_view> cells) {
    std::string line = "before";
    const auto done = columns.append(line, cells, "key-of-the-row");
    if (!done) {
        check_error(done.error());
        NOSTRO_ASSERT(line == "before", "nothing was appended");
        return;
    }
    NOSTRO_ASSERT(is_valid_utf8(line) && line.find('\n') == line.size() - 1, "one line");
    NOSTRO_ASSERT(line.starts_with("before{") && line.ends_with("}\n"), "one object");
}

}  // namespace
}  // namespace nostro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nostro;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    CsvReader reader(text);
    const auto header = reader.next();
    if (!header) check_error(header.error());
    if (!header || !*header) return 0;
    const std::string_view first = reader.fields().front();
    // The first column is all that a payment needs; what else is one shows itself by its name.
    const ColumnWishes wishes{.maps = {"debtor_account=" + std::string(first), "metadata.all=" + std::string(first)},
                              .sets = {"creditor_account=c", "amount=1"},
                              .currency = "USD"};
    const auto columns = PaymentColumns::from_header(reader.fields(), wishes);
    const auto paysim = paysim::Layout::from_header(reader.fields());
    if (!columns) check_error(columns.error());
    if (!paysim) check_error(paysim.error());
    std::size_t left = text.size();
    for (;;) {
        const auto more = reader.next();
        if (more && !*more) return 0;
        NOSTRO_ASSERT(left-- > 0, "every row takes a byte at least");
        if (!more) {
            check_error(more.error());
            continue;
        }
        NOSTRO_ASSERT(!reader.fields().empty() && reader.fields().size() <= CsvReader::kFieldsMax, "within its bounds");
        if (columns) {
            check_payment(*columns, reader.fields());
            NOSTRO_ASSERT(is_valid_utf8(columns->origin(first, reader.fields())), "an origin is readable");
        }
        if (!paysim) continue;
        const auto row = paysim->parse(reader.fields(), Currency::parse("USD").value());
        if (!row) check_error(row.error());
    }
}
