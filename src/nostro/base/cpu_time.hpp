// Processor time used so far, in the program and in the kernel for it.
#pragma once
#include <chrono>

namespace nostro {

std::chrono::nanoseconds cpu_of_process();
std::chrono::nanoseconds cpu_of_thread();  // the calling one

}  // namespace nostro
