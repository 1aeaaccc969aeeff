// Which of several processes should try to own the Book, because nobody else seems to: a lock or a group that notices
// when a process is gone. It only says who tries. Whom the journal's chain lets be the owner is the owner, whatever is
// said here; two that try at once cost one of them its ownership, and no payment anything.
//
// Threads: begin and stop from one; claims and owns from whoever takes over. `vacant` and `overtaken` are called on a
//          thread of its own.
#pragma once
#include <functional>
#include <string>

#include "nostro/base/result.hpp"

namespace nostro {

class Candidacy {
public:
    virtual ~Candidacy() = default;

    struct Told {
        std::function<void()> vacant;                 // nobody seems to own the Book; again as long as that is so
        std::function<void(const Error&)> overtaken;  // `fenced`: this process owned it, and another one does now
    };
    virtual void begin(Told told) = 0;
    // This process is about to take the journal over: nobody should think it vacant meanwhile.
    virtual void claims() = 0;
    // It has.
    virtual void owns() = 0;
    // Whoever waits may try at once.
    virtual void stop() = 0;
    // Why nobody would notice at present that the owner is gone; empty: somebody would. Threads: any.
    virtual std::string trouble() const = 0;
};

}  // namespace nostro
