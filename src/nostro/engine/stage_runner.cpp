#include "nostro/engine/stage_runner.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace nostro {
namespace {

constexpr int kNice = 10;

}  // namespace

StageRunner::StageRunner(Options options, Step step, std::function<void(const Error&)> failed)
    : options_(std::move(options)), step_(std::move(step)), failed_(std::move(failed)) {}

StageRunner::~StageRunner() { stop(); }

void StageRunner::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    pthread_setname_np(thread_.native_handle(), options_.name.substr(0, 15).c_str());
}

void StageRunner::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    signal_.notify();
    thread_.join();
}

void StageRunner::run(const std::stop_token& stop) {
    // On Linux nice counts for one thread. A tenth of a busy core is left, so nothing stands still; that it cannot be
    // set changes speed alone.
    if (options_.gives_way) static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice));
    while (!stop.stop_requested()) {
        const auto done = step_();
        if (!done) return failed_(done.error());
        if (*done == 0) static_cast<void>(signal_.wait_for(options_.idle_max, options_.spin));
    }
}

}  // namespace nostro
