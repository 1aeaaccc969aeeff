// What somebody waits for at present: a line in the log when it begins and when it is over, and the text for whoever
// asks. Threads: any.
#pragma once
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

class Trouble {
public:
    // Events of the log, which are literals; `of` says whose, where several have the same.
    Trouble(std::string_view waits, std::string_view recovered, std::string of = {})
        : waits_(waits), recovered_(recovered), of_(std::move(of)) {}

    // Empty: none, or it is over.
    void set(std::string text) {
        const std::lock_guard lock(mutex_);
        if (text_.empty() != text.empty()) tell(text);
        text_ = std::move(text);
    }
    template <class T>
    void set(const Result<T>& result) {
        set(result ? std::string() : result.error().what);
    }
    std::string text() const {
        const std::lock_guard lock(mutex_);
        return text_;
    }

private:
    void tell(const std::string& text) const {
        if (text.empty() && of_.empty()) return log_info(recovered_, {});
        if (text.empty()) return log_info(recovered_, {{"of", of_}});
        if (of_.empty()) return log_warn(waits_, {{"why", text}});
        log_warn(waits_, {{"of", of_}, {"why", text}});
    }

    const std::string_view waits_, recovered_;
    const std::string of_;
    mutable std::mutex mutex_;
    std::string text_;
};

}  // namespace nostro
