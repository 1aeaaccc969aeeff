#include "nostro/profiles/b2b_found.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/json_text.hpp"
#include "nostro/profiles/b2b_documents.hpp"

namespace nostro::b2b {
namespace {

constexpr std::size_t kPartBytes = 32 * 1024;

}  // namespace

FoundPayments::FoundPayments(const History& history, RowSearch search, std::size_t alike_max)
    : history_(history), search_(std::move(search)), alike_max_(alike_max) {
    search_.count_max = kFirstPage;
}

Result<> FoundPayments::next(std::string& into) {
    if (state_ == State::begin) {
        into += '[';
        state_ = State::middle;
        auto read = read_page(into);
        search_.count_max = kPage;
        return read;
    }
    const std::size_t begin = into.size();
    while (state_ == State::middle && into.size() - begin < kPartBytes) {
        if (auto read = read_page(into); !read) return read;
    }
    return {};
}

Result<> FoundPayments::read_page(std::string& into) {
    const auto page = history_.rows(search_);
    if (!page) return page.error();
    search_.cursor = page->next;
    for (const Recorded& recorded : page->items) {
        take(recorded, into);
        if (again()) return {};
    }
    if (!search_.cursor.empty()) return {};
    write_alike(into);
    if (again()) return {};
    into += ']';
    state_ = State::end;
    return {};
}

void FoundPayments::take(const Recorded& recorded, std::string& into) {
    std::vector<IndexRow> rows;
    index_rows(recorded.payment, rows);
    const auto own = std::ranges::find(rows, search_.group, &IndexRow::group);
    if (own == rows.end()) return;
    if (cut_row(own->row) != alike_) {
        write_alike(into);
        if (left_out_) return;
        alike_ = cut_row(own->row);
        behind_.clear();
    }
    // Two payments may have one key, but not one id.
    std::string key = own->row + '\n' + std::string(recorded.payment.key);
    if (!behind_.empty() && key <= behind_) return;
    Item item{std::move(key), {}};
    JsonWriter json(item.json);
    write_answer(json, row_of(recorded.payment, recorded.last().status));
    items_.push_back(std::move(item));
    if (items_.size() < 2 * alike_max_) return;
    std::ranges::nth_element(items_, items_.begin() + static_cast<std::ptrdiff_t>(alike_max_), {}, &Item::key);
    items_.resize(alike_max_);
    left_out_ = true;
}

void FoundPayments::write_alike(std::string& into) {
    std::ranges::sort(items_, {}, &Item::key);
    if (left_out_ && items_.size() > alike_max_) items_.resize(alike_max_);
    for (const Item& item : items_) {
        if (wrote_) into += ',';
        into += item.json;
        wrote_ = true;
    }
    if (left_out_) behind_ = items_.back().key;
    items_.clear();
}

// Whether those alike have to be read once more, for what was left out.
bool FoundPayments::again() {
    if (!left_out_ || !items_.empty()) return false;
    left_out_ = false;
    search_.from = alike_;
    search_.cursor.clear();
    return true;
}

}  // namespace nostro::b2b
