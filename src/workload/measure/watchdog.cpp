#include "workload/measure/watchdog.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace vtax {
namespace {

constexpr int kSignalNumber = SIGALRM;

// Of the thread whose time is over: the timer's signal goes to the thread that started it.
thread_local volatile std::sig_atomic_t over = 0;

void note_and_interrupt(int) {
  over = 1;
}

timespec to_timespec(std::chrono::nanoseconds duration) {
  constexpr long kPerSecond = 1'000'000'000;
  return {duration.count() / kPerSecond, duration.count() % kPerSecond};
}

}  // namespace

Result<Watchdog> Watchdog::start(std::chrono::nanoseconds limit) {
  struct sigaction action {};
  action.sa_handler = note_and_interrupt;  // and no SA_RESTART: the interruption is the purpose
  if (sigaction(kSignalNumber, &action, nullptr) != 0)
    return fail(system_error("cannot set a time limit", errno));

  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kSignalNumber;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  timer_t timer{};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
    return fail(system_error("cannot set a time limit", errno));
  }
  Watchdog watchdog(timer, limit);
  over = 0;
  if (Result<> armed = watchdog.arm(limit); !armed) return fail(armed.error());
  return watchdog;
}

Result<> Watchdog::arm(std::chrono::nanoseconds limit) const {
  itimerspec when{};
  when.it_value = to_timespec(std::max(limit, std::chrono::nanoseconds(1)));
  when.it_interval = to_timespec(std::chrono::milliseconds(50));
  if (timer_settime(timer_, 0, &when, nullptr) != 0)
    return fail(system_error("cannot set a time limit", errno));
  return {};
}

Result<> Watchdog::prolong(std::chrono::nanoseconds more) {
  // First no signal must come any more that was for the earlier limit.
  Result<> armed = arm(std::max<std::chrono::nanoseconds>(more, std::chrono::milliseconds(1)));
  over = 0;
  return armed;
}

Watchdog::Watchdog(timer_t timer, std::chrono::nanoseconds limit)
    : timer_(timer), armed_(true), limit_(limit) {}

Watchdog::Watchdog(Watchdog&& other) noexcept
    : timer_(other.timer_), armed_(std::exchange(other.armed_, false)), limit_(other.limit_) {}

Watchdog::~Watchdog() {
  if (armed_) timer_delete(timer_);
}

bool Watchdog::expired() const {
  return over != 0;
}

Error Watchdog::timeout(std::string what) const {
  const double seconds = std::chrono::duration<double>(limit_).count();
  return Error{std::move(what), fmt::format("not done within {:.3g} s of guest time", seconds),
               "raise the study's time limit if the work is that long", ExitCode::trial_failed};
}

}  // namespace vtax
