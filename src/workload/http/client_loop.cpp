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

constexpr std::size_t response_buffer_size = 65536;
constexpr std::uint64_t dropped_at_once = std::uint64_t{1} << 20;
constexpr std::uint32_t interruption_event = ~std::uint32_t{0};
// What a closed loop waits for after a failure; a refusal comes back in microseconds.
constexpr nanoseconds pause_after_failure = std::chrono::milliseconds(10);
// gather(): at most 1/32 (3 %) of a transaction's time.
constexpr std::size_t fewest_gathered = 16;
constexpr int nap_part = 32;
constexpr nanoseconds shortest_nap = std::chrono::microseconds(10),
                      longest_nap = std::chrono::microseconds(200);
constexpr nanoseconds longest_wait = std::chrono::seconds(1);

std::chrono::steady_clock::time_point clock_now() {
  return std::chrono::steady_clock::now();
}

nanoseconds thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

std::uint64_t count_of(nanoseconds time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
}

std::size_t part_of(std::size_t all, int threads, int number) {
  const auto parts = static_cast<std::size_t>(threads);
  return all / parts + (static_cast<std::size_t>(number) < all % parts ? 1 : 0);
}

}  // namespace

ClientLoop::ClientLoop(const Load& load, const RequestSource& source, const Span& span, int number)
    : load_(load),
      source_(source),
      span_(span),
      closed_loop_(load.mode == Load::Mode::closed),
      reuse_(load.mode == Load::Mode::requests && load.keep_alive),
      most_connections_(part_of(load.connections, load.threads, number)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      random_(Random(load.seed + static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15).next()),
      buffer_(response_buffer_size) {
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
  event.data.u32 = interruption_event;
  if (!epoll_.valid() || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, interruption_fd(), &event) != 0)
    return fail(system_error("cannot wait for responses", errno));
  prctl(PR_SET_TIMERSLACK, 1UL);  // wake when asked to, not up to 50 us later
  now_ = clock_now();
  while (!over()) {
    if (interrupted()) return fail(interruption_error());
    begin_what_is_due();
    wait_for_events();
    go_on();
    expire();
    meter_cpu();
  }
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
  Instant until = now_ + longest_wait;
  const auto not_after = [&](Instant at) { until = std::min(until, at); };
  if (!cpu_at_begin_) not_after(span_.begin);
  if (now_ < span_.end) not_after(span_.end);
  if (schedule_ && !connections_begun() && schedule_->due() < span_.end)
    not_after(stalled_ ? schedule_->due() + load_.timeout : schedule_->due());
  if (restarts_ > 0) not_after(restart_at_);
  if (deadlines_.first() != Deadlines::none) not_after(deadlines_.first_at() + load_.timeout);
  return std::max(until - now_, nanoseconds(0));
}

// In a closed loop with many connections a server that answers one after the other would wake this thread for
// each response, which costs both of them more than the response itself. So it sleeps for a moment first and
// takes several at once: a small part of what a transaction takes anyway, so that the server does not run
// dry.
void ClientLoop::gather() {
  if (in_flight_ < fewest_gathered) return;
  const nanoseconds nap = std::min(usual_time_ / nap_part, longest_nap);
  if (nap < shortest_nap) return;
  const timespec time{0, nap.count()};
  nanosleep(&time, nullptr);
}

void ClientLoop::wait_for_events() {
  std::array<epoll_event, 256> events;
  if (closed_loop_)
    gather();
  else
    now_ = clock_now();
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
  now_ = clock_now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u32 != interruption_event) on_event(event.data.u32, event.events);
  }
}

// The closed loop's next requests go out when every response that is there has been taken: no response waits
// for the sending of others, and the server gets them together, which saves it and the client wake-ups.
void ClientLoop::go_on() {
  for (const std::uint32_t index : answered_) {
    now_ = clock_now();
    if (all_begun()) {
      close_connection(index);
      continue;
    }
    if (load_.total == 0) connections_[index].requests_left = 1;
    begin_request(index, now_);
  }
  answered_.clear();
  for (std::size_t todo = std::exchange(replaced_, 0); todo > 0 && !all_begun(); --todo) {
    now_ = clock_now();
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
      now_ = clock_now();
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
    if (index == Deadlines::none) {
      const int error = errno;
      Failure kind = Failure::unreachable;
      if (error == ECONNREFUSED) kind = Failure::refused;
      if (error == EADDRNOTAVAIL) kind = Failure::no_port;
      if (error == EMFILE || error == ENFILE) kind = Failure::no_descriptor;
      count_failure(kind, due);
      if (closed_loop_) {
        ++restarts_;
        restart_at_ = now_ + pause_after_failure;
      }
      return false;
    }
  }
  begin_request(index, due);
  return true;
}

std::uint32_t ClientLoop::open_connection() {
  Descriptor fd(socket(load_.url.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Deadlines::none;
  const auto* address = reinterpret_cast<const sockaddr*>(&load_.url.address);
  if (connect(fd.get(), address, load_.url.address_size) != 0 && errno != EINPROGRESS) return Deadlines::none;
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(connections_.size());
    connections_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Connection& connection = connections_[index];
  connection.fd = std::move(fd);
  connection.state = State::connecting;
  connection.requests_left = requests_of_one();
  ++open_;
  ++counts_.connections;
  return index;
}

void ClientLoop::begin_request(std::uint32_t index, Instant due) {
  Connection& connection = connections_[index];
  const bool fresh = connection.state == State::connecting;
  const bool counted = load_.mode == Load::Mode::connections || load_.total != 0;
  const bool goes_on = counted ? connection.requests_left > 1 : load_.keep_alive;
  --connection.requests_left;
  connection.target = source_.draw(random_);
  const RequestSource::Target& target = source_[connection.target];
  connection.unsent = goes_on ? target.keep : target.close;
  connection.due = due;
  connection.begun = now_;
  connection.parser.reset();
  deadlines_.touch(index, now_);
  ++in_flight_;
  ++counts_.requests;
  if (!fresh) return send_some(index);
  // Over loopback the handshake is done within connect(2), so that the request can follow without a wait;
  // over a network it is not, and then trying is a wasted call.
  if (eager_) {
    send_some(index);
    if (connection.state == State::none) return;
    eager_ = connection.state != State::connecting;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = index;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event) != 0)
    fail_request(index, Failure::no_descriptor);
}

void ClientLoop::send_some(std::uint32_t index) {
  Connection& connection = connections_[index];
  while (!connection.unsent.empty()) {
    const ssize_t sent =
        send(connection.fd.get(), connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      connection.unsent.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      return fail_by_errno(index, errno);
    }
  }
  connection.state = State::waiting;
}

void ClientLoop::on_event(std::uint32_t index, std::uint32_t events) {
  Connection& connection = connections_[index];
  // Events of a connection that has gone in this round say nothing about the one that has its place: what the
  // calls on the socket return decides.
  if (connection.state == State::none) return;
  if (connection.state == State::connecting) {
    send_some(index);
    if (connection.state != State::waiting) return;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) receive_some(index, events);
}

void ClientLoop::receive_some(std::uint32_t index, std::uint32_t events) {
  Connection& connection = connections_[index];
  while (true) {
    const std::uint64_t skippable = load_.drop_content ? connection.parser.skippable() : 0;
    const ssize_t got =
        skippable > 0 ? recv(connection.fd.get(), nullptr, std::min(skippable, dropped_at_once), MSG_TRUNC)
                      : recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (connection.state == State::idle) {  // the server closes it, or sends what nobody asked for
      idle_.erase(std::find(idle_.begin(), idle_.end(), index));
      return close_connection(index);
    }
    if (got < 0) return fail_by_errno(index, errno);
    if (got == 0) {
      connection.parser.end();
      if (connection.parser.done()) return complete(index);
      return fail_request(index, Failure::closed);
    }
    const auto size = static_cast<std::size_t>(got);
    if (skippable > 0) {
      connection.parser.skip(size);
    } else if (connection.parser.feed({buffer_.data(), size}) < size && connection.parser.done()) {
      if (counts_.bad_response.empty()) counts_.bad_response = "more came than the response";
      return fail_request(index, Failure::bad_response);
    }
    if (connection.parser.done()) return complete(index);
    if (connection.parser.bad()) {
      if (counts_.bad_response.empty()) counts_.bad_response = connection.parser.why();
      return fail_request(index, Failure::bad_response);
    }
    // Less than there was room for: the socket is empty, and what comes later is a new event. An end that has
    // already been reported is not.
    if (skippable == 0 && size < buffer_.size() && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    if (now_ - connection.begun > load_.timeout) return;  // a flood; expire() ends it
  }
}

void ClientLoop::complete(std::uint32_t index) {
  Connection& connection = connections_[index];
  const RequestSource::Target& target = source_[connection.target];
  now_ = clock_now();
  if (closed_loop_) usual_time_ += (now_ - connection.begun - usual_time_) / 64;
  const int status = connection.parser.status();
  const std::uint64_t content = connection.parser.content();
  if (status < 200 || status > 299) {
    if (counts_.http_status == 0) counts_.http_status = status;
    count_failure(Failure::http_error, connection.due);
  } else if (target.size && *target.size != content) {
    if (counts_.bad_response.empty())
      counts_.bad_response = "its content has another size than the file of the set";
    count_failure(Failure::bad_response, connection.due);
  } else {
    if (in_span(now_)) {
      ++counts_.transactions;
      counts_.bytes += content;
      if (load_.interval.count() > 0) {
        auto& interval = counts_.intervals[static_cast<std::size_t>((now_ - span_.begin) / load_.interval)];
        ++interval.transactions;
        interval.bytes += content;
      }
    }
    if (in_span(closed_loop_ ? now_ : connection.due)) {
      counts_.latency.record(count_of(now_ - connection.due));
      if (!closed_loop_) counts_.service.record(count_of(now_ - connection.begun));
    }
  }
  --in_flight_;
  deadlines_.remove(index);
  finish_connection(index, connection.parser.keep_alive());
}

void ClientLoop::finish_connection(std::uint32_t index, bool reusable) {
  Connection& connection = connections_[index];
  const bool goes_on = now_ < span_.end;
  if (closed_loop_) {
    if (load_.keep_alive && reusable && goes_on && (load_.total == 0 || connection.requests_left > 0)) {
      answered_.push_back(index);
      return;
    }
    close_connection(index);
    if (goes_on) ++replaced_;
  } else if (reuse_ && reusable) {
    connection.state = State::idle;
    idle_.push_back(index);
  } else if (connection.requests_left > 0 && goes_on && !all_begun()) {
    if (reusable) return begin_request(index, now_);
    count_failure(Failure::closed, now_);  // the server has ended a connection that had more requests to make
    close_connection(index);
  } else {
    close_connection(index);
  }
}

void ClientLoop::count_failure(Failure failure, Instant due) {
  if (in_span(closed_loop_ ? now_ : due)) ++counts_[failure];
}

void ClientLoop::fail_request(std::uint32_t index, Failure failure) {
  count_failure(failure, connections_[index].due);
  --in_flight_;
  deadlines_.remove(index);
  close_connection(index);
  if (closed_loop_) {
    ++restarts_;
    restart_at_ = now_ + pause_after_failure;
  }
}

void ClientLoop::fail_by_errno(std::uint32_t index, int error) {
  switch (error) {
    case ECONNREFUSED:
      return fail_request(index, Failure::refused);
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return fail_request(index, Failure::reset);
    case ETIMEDOUT:
      return fail_request(index, Failure::timeout);
    case EADDRNOTAVAIL:
      return fail_request(index, Failure::no_port);
    default:
      return fail_request(index, Failure::unreachable);
  }
}

void ClientLoop::close_connection(std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.fd.reset();  // leaves the epoll set with it
  connection.state = State::none;
  free_.push_back(index);
  --open_;
}

void ClientLoop::expire() {
  while (deadlines_.first() != Deadlines::none && deadlines_.first_at() + load_.timeout <= now_)
    fail_request(deadlines_.first(), Failure::timeout);
}

}  // namespace vtax::http
