#include "workload/http/client_loop.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "core/interruption.h"

namespace vtax::http {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kResponseBufferSize = 65536;
constexpr std::uint32_t kInterruptionEvent = ~std::uint32_t{0};
// What a closed loop waits for after a failure; a refusal comes back in microseconds.
constexpr nanoseconds kPauseAfterFailure = std::chrono::milliseconds(10);
// gather(): at most 1/32 (3 %) of a transaction's time.
constexpr std::size_t kFewestGathered = 16;
constexpr int kNapPart = 32;
constexpr nanoseconds kShortestNap = std::chrono::microseconds(10),
                      kLongestNap = std::chrono::microseconds(200);
constexpr nanoseconds kLongestWait = std::chrono::seconds(1);

nanoseconds thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

std::size_t part_of(std::size_t all, int threads, int number) {
  const auto parts = static_cast<std::size_t>(threads);
  return all / parts + (static_cast<std::size_t>(number) < all % parts ? 1 : 0);
}

}  // namespace

ClientLoop::ClientLoop(const Load& load, const RequestSource& source, const LoadTimes& span, int number)
    : load_(load),
      source_(source),
      span_(span),
      closed_loop_(load.mode == Load::Mode::closed),
      reuse_(load.mode == Load::Mode::requests && load.keep_alive),
      most_connections_(part_of(load.connections, load.threads, number)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      random_(Random(load.seed + static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15).next()),
      buffer_(kResponseBufferSize) {
  if (closed_loop_) {
    restarts_ = most_connections_;
    restart_at_ = span.start;
  } else {
    schedule_.emplace(span.start, load.rate / load.threads, static_cast<double>(number) / load.threads,
                      load.poisson, Random(random_.next()));
  }
  if (load.interval.count() > 0)
    counts_.intervals.resize(
        static_cast<std::size_t>((load.duration + load.interval - nanoseconds(1)) / load.interval));
}

Result<> ClientLoop::run() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = kInterruptionEvent;
  if (!epoll_.valid() || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, interruption_fd(), &event) != 0)
    return fail(system_error("cannot wait for responses", errno));
  prctl(PR_SET_TIMERSLACK, 1UL);  // wake when asked to, not up to 50 us later
  read_clock();
  while (!over()) {
    if (interrupted()) return end_early();
    begin_what_is_due();
    wait_for_events();
    go_on();
    expire();
    meter_cpu();
  }
  return {};
}

// What was answered until now is a measurement; the caller knows that it is shorter.
Result<> ClientLoop::end_early() {
  if (cpu_at_begin_ && !cpu_read_) counts_.cpu = thread_cpu() - *cpu_at_begin_;
  return {};
}

bool ClientLoop::over() const {
  // A request that failed has no other in its place: the caller counts what was answered.
  if (all_begun() && in_flight_ == 0) return true;
  if (now_ < span_.end) return false;
  return closed_loop_ || (in_flight_ == 0 && schedule_->due() >= span_.end);
}

void ClientLoop::meter_cpu() {
  if (!cpu_at_begin_ && now_ >= span_.begin) cpu_at_begin_ = thread_cpu();
  if (cpu_at_begin_ && !cpu_read_ && now_ >= span_.end) {
    counts_.cpu = thread_cpu() - *cpu_at_begin_;
    cpu_read_ = true;
  }
}

nanoseconds ClientLoop::time_to_wait() const {
  Instant until = now_ + kLongestWait;
  const auto not_after = [&](Instant at) { until = std::min(until, at); };
  if (!cpu_at_begin_) not_after(span_.begin);
  if (now_ < span_.end) not_after(span_.end);
  if (schedule_ && !connections_begun() && schedule_->due() < span_.end)
    not_after(stalled_ ? schedule_->due() + load_.timeout : schedule_->due());
  if (restarts_ > 0) not_after(restart_at_);
  if (deadlines_.first() != Deadlines::kNone) not_after(deadlines_.first_at() + load_.timeout);
  return std::max(until - now_, nanoseconds(0));
}

// In a closed loop with many connections a server that answers one after the other would wake this thread for
// each response, which costs both of them more than the response itself. So it sleeps for a moment first and
// takes several at once: a small part of what a transaction takes anyway, so that the server does not run
// dry.
void ClientLoop::gather() {
  if (in_flight_ < kFewestGathered) return;
  const nanoseconds nap = std::min(usual_time_ / kNapPart, kLongestNap);
  if (nap < kShortestNap) return;
  const timespec time{0, nap.count()};
  nanosleep(&time, nullptr);
}

void ClientLoop::wait_for_events() {
  std::array<epoll_event, 256> events;
  if (closed_loop_)
    gather();
  else
    read_clock();
  const nanoseconds wait = time_to_wait();
  int count = -1;
  if (sleeps_finely_) {
    const timespec time{wait.count() / 1'000'000'000, wait.count() % 1'000'000'000};
    count = static_cast<int>(syscall(SYS_epoll_pwait2, epoll_.get(), events.data(),
                                     static_cast<int>(events.size()), &time, nullptr, 0));
    if (count < 0 && errno == ENOSYS) sleeps_finely_ = false;
  }
  if (!sleeps_finely_)  // rounded down: rather spin for a part of a millisecond than be late
    count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                       static_cast<int>(wait / std::chrono::milliseconds(1)));
  read_clock();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u32 != kInterruptionEvent) on_event(event.data.u32, event.events);
  }
}

// The closed loop's next requests go out when every response that is there has been taken: no response waits
// for the sending of others, and the server gets them together, which saves it and the client wake-ups.
void ClientLoop::go_on() {
  for (const std::uint32_t index : answered_) {
    read_clock();
    if (all_begun()) {
      close_connection(index);
      continue;
    }
    if (load_.total == 0) connections_[index].requests_left = 1;
    begin_request(index, now_);
  }
  answered_.clear();
  for (std::size_t todo = std::exchange(replaced_, 0); todo > 0 && !all_begun(); --todo) {
    read_clock();
    begin_one(now_);
  }
}

void ClientLoop::begin_what_is_due() {
  if (restarts_ > 0 && now_ >= restart_at_ && now_ < span_.end) {
    for (std::size_t todo = std::exchange(restarts_, 0); todo > 0 && !all_begun(); --todo) begin_one(now_);
  }
  if (!schedule_ || connections_begun()) return;
  bool was_stalled = std::exchange(stalled_, false);
  for (Instant due = schedule_->due(); due <= now_ && due < span_.end; due = schedule_->due()) {
    if (due + load_.timeout <= now_) {
      count_failure(Failure::timeout, due);
    } else {
      if (idle_.empty() && open_ >= most_connections_) {
        stalled_ = true;
        return;
      }
      read_clock();
      if (in_span(due)) {
        const nanoseconds behind = now_ - due;
        counts_.lateness.record(count_of(behind));
        if (was_stalled)
          ++counts_.waited;
        else if (behind > load_.late)
          ++counts_[Failure::late];
      }
      begin_one(due);
    }
    if (connections_begun()) return;
    schedule_->advance();
  }
}

bool ClientLoop::begin_one(Instant due) {
  std::uint32_t index = 0;
  if (reuse_ && !idle_.empty()) {
    index = idle_.back();
    idle_.pop_back();
    connections_[index].requests_left = 1;
  } else {
    index = open_connection();
    if (index == Deadlines::kNone) {
      const int error = errno;
      Failure kind = Failure::unreachable;
      if (error == ECONNREFUSED) kind = Failure::refused;
      if (error == EADDRNOTAVAIL) kind = Failure::no_port;
      if (error == EMFILE || error == ENFILE) kind = Failure::no_descriptor;
      count_failure(kind, due);
      restart_later();
      return false;
    }
  }
  begin_request(index, due);
  return true;
}

void ClientLoop::restart_later() {
  if (!closed_loop_) return;
  ++restarts_;
  restart_at_ = now_ + kPauseAfterFailure;
}

void ClientLoop::expire() {
  while (deadlines_.first() != Deadlines::kNone && deadlines_.first_at() + load_.timeout <= now_)
    fail_request(deadlines_.first(), Failure::timeout);
}

}  // namespace vtax::http
