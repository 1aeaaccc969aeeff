// Makes a thread that sleeps in a loop of its own look around soon.
#pragma once

namespace nostro {

// Threads: wake() from any; it must not throw, and may come when the loop has ended.
class Waker {
public:
    virtual ~Waker() = default;
    virtual void wake() = 0;
};

}  // namespace nostro
