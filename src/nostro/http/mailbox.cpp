#include "nostro/http/mailbox.hpp"

namespace nostro {

void Mailbox::push(Item item) {
    std::shared_ptr<Waker> waker;
    {
        const std::lock_guard lock(mutex_);
        if (waker_ == nullptr) return;
        items_.push_back(std::move(item));
        if (!woken_ && std::this_thread::get_id() != owner_) {
            woken_ = true;
            waker = waker_;
        }
    }
    if (waker != nullptr) waker->wake();
}

void Mailbox::reply(std::uint64_t connection, std::uint64_t request, Render render) {
    push({Item::Kind::reply, BodyStream::State::wait, connection, request, std::move(render), {}});
}

void Mailbox::stream_woken(std::uint64_t connection, std::uint64_t request) {
    push({Item::Kind::woken, BodyStream::State::wait, connection, request, {}, {}});
}

void Mailbox::stream_part(std::uint64_t connection, std::uint64_t request, BodyStream::State state, std::string part) {
    push({Item::Kind::part, state, connection, request, {}, std::move(part)});
}

void Mailbox::owned_by_this_thread() {
    const std::lock_guard lock(mutex_);
    owner_ = std::this_thread::get_id();
}

void Mailbox::take(std::vector<Item>& into) {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    items_.swap(into);
}

void Mailbox::close() {
    std::vector<Item> dropped;  // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    waker_ = nullptr;
    dropped.swap(items_);
}

}  // namespace nostro
