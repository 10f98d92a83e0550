// One request of the client's loop: its connection, what is sent and received, how it ends.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "workload/http/client_loop.h"
#include "workload/measure/marker.h"

namespace vtax::http {
namespace {

constexpr std::uint64_t kDroppedAtOnce = std::uint64_t{1} << 20;

}  // namespace

std::uint32_t ClientLoop::open_connection() {
  Descriptor fd(socket(load_.url.address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Deadlines::kNone;
  const NetAddress& to = load_.url.address;
  if (connect(fd.get(), to.get(), to.size()) != 0 && errno != EINPROGRESS) return Deadlines::kNone;
  const std::uint32_t index = connections_.take();
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
        skippable > 0 ? recv(connection.fd.get(), nullptr, std::min(skippable, kDroppedAtOnce), MSG_TRUNC)
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
  read_clock();
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
        const auto number = static_cast<std::size_t>((now_ - span_.begin) / load_.interval);
        counts_.intervals[number].count(content);
      }
    }
    if (in_span(closed_loop_ ? now_ : connection.due)) {
      counts_.latency.record(count_of(now_ - connection.due));
      marker::latency(1, count_of(now_ - connection.due));
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
  restart_later();
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
  connections_.give_back(index);
  --open_;
}

}  // namespace vtax::http
