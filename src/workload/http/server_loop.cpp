#include "workload/http/server_loop.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace vtax::http {
namespace {

constexpr std::size_t kRequestBufferSize = 16384;
// Content up to this size is copied with the head in one call; sendfile(2) saves the copy but is a call of
// its own (docs/design/http.md).
constexpr std::uint64_t kLargestCopied = 16384;
constexpr std::uint64_t kMostDrained = 262144;
constexpr int kRoundsAtOnce = 8, kAcceptedAtOnce = 64;
constexpr std::uint32_t kListenerEvent = ~std::uint32_t{0}, kStopEvent = kListenerEvent - 1;

const char* reason(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

iovec part(const char* data, std::size_t size) {
  return {const_cast<char*>(data), size};
}

iovec part(const std::string& text) {
  return part(text.data(), text.size());
}

}  // namespace

void ServerCounts::add(const ServerCounts& other) {
  connections += other.connections;
  requests += other.requests;
  responses += other.responses;
  bytes += other.bytes;
  bad_requests += other.bad_requests;
  not_found += other.not_found;
  timeouts += other.timeouts;
  too_many += other.too_many;
  resets += other.resets;
  closed += other.closed;
  if (other.first && (!first || *other.first < *first)) first = other.first;
  if (other.last && (!last || *other.last > *last)) last = other.last;
}

ServerLoop::ServerLoop(const Site& site, int listener, const Limits& limits, const std::vector<int>& stops)
    : site_(site),
      listener_(listener),
      limits_(limits),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      stops_(stops),
      now_(std::chrono::steady_clock::now()),
      buffer_(kRequestBufferSize) {}

Result<> ServerLoop::run() {
  const auto watch = [&](int fd, std::uint32_t name) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = name;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  };
  bool watched = epoll_.valid() && watch(listener_, kListenerEvent);
  for (const int fd : stops_) watched = watched && watch(fd, kStopEvent);
  if (!watched) return fail(system_error("cannot wait for connections", errno));

  std::array<epoll_event, 256> events{};
  std::vector<std::uint32_t> again;
  while (true) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms());
    if (count < 0 && errno != EINTR) return fail(system_error("cannot wait for requests", errno));
    now_ = std::chrono::steady_clock::now();
    if (limits_.end && now_ >= *limits_.end) return {};
    renew_date();
    again.swap(again_);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u32 == kStopEvent) return {};
      if (event.data.u32 == kListenerEvent)
        accept_some();
      else
        on_event(event.data.u32, event.events);
    }
    for (const std::uint32_t index : again)
      if (connections_[index].fd.valid() && !connections_[index].writing && !connections_[index].draining)
        read_some(index, true);
    again.clear();
    close_expired();
  }
}

int ServerLoop::wait_ms() const {
  if (!again_.empty()) return 0;
  std::optional<Instant> until = limits_.end;
  if (deadlines_.first() != Deadlines::kNone) {
    const Instant expires = deadlines_.first_at() + limits_.idle;
    until = until ? std::min(*until, expires) : expires;
  }
  if (!until) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void ServerLoop::renew_date() {
  const std::time_t second = std::time(nullptr);
  if (second == date_second_) return;
  date_second_ = second;
  date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(second));
  head_keep_ = fmt::format("HTTP/1.1 200 OK\r\nDate: {}\r\n", date_);
  head_close_ = head_keep_ + "Connection: close\r\n";
  head_keep_1_0_ = head_keep_ + "Connection: keep-alive\r\n";
}

void ServerLoop::accept_some() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    Descriptor fd(accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      // Without descriptors the listener would be reported again and again: wait until a connection closes.
      if ((errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) && open_ > 0) {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_, nullptr);
        accepting_ = false;
      }
      return;
    }
    ++counts_.connections;
    if (open_ >= limits_.connections) {
      refuse_connection(fd.get());
      continue;
    }
    const std::uint32_t index = connections_.take();
    ++open_;
    connections_[index].fd = std::move(fd);
    deadlines_.touch(index, now_);
    read_some(index, false);  // the request is often there already
    if (connections_[index].fd.valid()) register_connection(index);
  }
}

void ServerLoop::refuse_connection(int fd) {
  ++counts_.too_many;
  // Unread data would turn the close into a reset, and the answer might be lost.
  (void)recv(fd, buffer_.data(), buffer_.size(), 0);
  const std::string text =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 1\r\n\r\n";
  (void)send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

void ServerLoop::register_connection(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.registered) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = index;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event) != 0)
    return close_connection(index);
  connection.registered = true;
}

void ServerLoop::on_event(std::uint32_t index, std::uint32_t events) {
  Connection& connection = connections_[index];
  if (!connection.fd.valid()) return;  // of a connection that was closed in this round
  if (connection.draining) return drain(index);
  if (!connection.writing) return read_some(index, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
  if (flush(index) != SendState::finished) return;
  const std::string input = std::move(connection.input);
  connection.input.clear();
  if (consume(index, input) == SendState::finished) read_some(index, true);
}

// A read that does not fill the buffer has emptied the socket, and whatever comes later is a new event; but
// an end of the connection that has already been reported must be found now (`to_the_end`).
void ServerLoop::read_some(std::uint32_t index, bool to_the_end) {
  Connection& connection = connections_[index];
  for (int round = 0; round < kRoundsAtOnce; ++round) {
    const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (got > 0) {
      const auto size = static_cast<std::size_t>(got);
      if (consume(index, {buffer_.data(), size}) != SendState::finished) return;
      if (size < buffer_.size() && !to_the_end) return;
    } else if (got == 0) {
      if (connection.head.begun()) ++counts_.closed;
      return close_connection(index);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      (void)broken(index, errno);
      return;
    }
  }
  again_.push_back(index);
}

ServerLoop::SendState ServerLoop::consume(std::uint32_t index, std::string_view data) {
  Connection& connection = connections_[index];
  while (!data.empty()) {
    std::size_t used = 0;
    std::string_view head;
    const HeadBuffer::State state = connection.head.take(data, used, head);
    data.remove_prefix(used);
    if (state == HeadBuffer::State::incomplete) return SendState::finished;
    SendState progress = SendState::finished;
    if (state == HeadBuffer::State::too_long)
      progress = answer_status(index, 431, false);
    else if (state == HeadBuffer::State::bare_line_feed)
      progress = answer_status(index, 400, false);
    else
      progress = answer(index, parse_request(head));
    if (progress == SendState::blocked && !connection.draining) connection.input.assign(data);
    if (progress != SendState::finished) return progress;
  }
  return SendState::finished;
}

ServerLoop::SendState ServerLoop::answer(std::uint32_t index, const Request& request) {
  ++counts_.requests;
  if (!counts_.first) counts_.first = now_;
  Connection& connection = connections_[index];
  if (request.refusal != 0) return answer_status(index, request.refusal, false);
  connection.close_after = !request.keep_alive;
  std::string storage;
  const std::string_view path = path_of(request.target, storage);
  if (path.empty()) return answer_status(index, 400, request.head);
  const Site::Content* content = site_.find(path);
  if (content == nullptr) return answer_status(index, 404, request.head);
  return send_file(index, *content, request);
}

ServerLoop::SendState ServerLoop::answer_status(std::uint32_t index, int status, bool head_only) {
  Connection& connection = connections_[index];
  if (status == 404)
    ++counts_.not_found;
  else
    connection.close_after = true, ++counts_.bad_requests;
  const std::string text = fmt::format("{} {}\n", status, reason(status));
  connection.out = fmt::format(
      "HTTP/1.1 {} {}\r\nDate: {}\r\n{}{}Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}", status,
      reason(status), date_, connection.close_after ? "Connection: close\r\n" : "",
      status == 405 ? "Allow: GET, HEAD\r\n" : "", text.size(), head_only ? "" : text);
  connection.draining = status != 404;
  connection.counts = false;
  connection.writing = true;
  return flush(index);
}

ServerLoop::SendState ServerLoop::send_file(std::uint32_t index, const Site::Content& content,
                                            const Request& request) {
  Connection& connection = connections_[index];
  const std::string& start = connection.close_after ? head_close_
                             : request.version_1_0  ? head_keep_1_0_
                                                    : head_keep_;
  const bool has_body = !request.head && content.size > 0;
  const bool copied = has_body && content.memory != nullptr && content.size <= kLargestCopied;
  std::array<iovec, 3> parts{part(start), part(content.fields),
                             part(content.memory, copied ? content.size : 0)};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = copied ? 3 : 2;
  ssize_t sent = sendmsg(connection.fd.get(), &message, MSG_NOSIGNAL | (has_body && !copied ? MSG_MORE : 0));
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return broken(index, errno);

  connection.counts = true;
  connection.body = has_body ? &content : nullptr;
  auto left = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  const std::size_t head_size = start.size() + content.fields.size();
  connection.body_at = left > head_size ? left - head_size : 0;
  if (left < head_size) connection.out = (start + content.fields).substr(left);
  connection.writing = true;
  return flush(index);
}

// Sends what is left of the response.
ServerLoop::SendState ServerLoop::flush(std::uint32_t index) {
  Connection& connection = connections_[index];
  bool progress = false;
  while (true) {
    const std::uint64_t left = connection.body == nullptr ? 0 : connection.body->size - connection.body_at;
    ssize_t sent = 0;
    if (!connection.out.empty()) {
      sent = send(connection.fd.get(), connection.out.data(), connection.out.size(),
                  MSG_NOSIGNAL | (left > 0 ? MSG_MORE : 0));
      if (sent > 0) connection.out.erase(0, static_cast<std::size_t>(sent));
    } else if (left == 0) {
      return finish(index);
    } else {
      auto offset = static_cast<off_t>(connection.body->offset + connection.body_at);
      sent = sendfile(connection.fd.get(), connection.body->fd, &offset, left);
      if (sent == 0) {  // the file has become shorter than its announced length
        ++counts_.closed;
        close_connection(index);
        return SendState::closed;
      }
      if (sent > 0) connection.body_at += static_cast<std::uint64_t>(sent);
    }
    if (sent > 0) progress = true;
    if (sent > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return broken(index, errno);
    if (progress) deadlines_.touch(index, now_);
    return SendState::blocked;
  }
}

ServerLoop::SendState ServerLoop::finish(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.counts) {
    ++counts_.responses;
    if (connection.body != nullptr) counts_.bytes += connection.body->size;
  }
  counts_.last = now_;
  connection.writing = connection.counts = false;
  connection.body = nullptr;
  connection.body_at = 0;
  if (connection.draining) {
    shutdown(connection.fd.get(), SHUT_WR);
    drain(index);
    return connection.fd.valid() ? SendState::blocked : SendState::closed;
  }
  if (connection.close_after) {
    close_connection(index);
    return SendState::closed;
  }
  deadlines_.touch(index, now_);
  return SendState::finished;
}

// After a refusal: reads and forgets for a while, since a close with unread data would be a reset that
// destroys the answer.
void ServerLoop::drain(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.writing && flush(index) != SendState::finished) return;
  while (connection.drained < kMostDrained) {
    const ssize_t got = recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    connection.drained += static_cast<std::uint64_t>(got);
  }
  close_connection(index);
}

ServerLoop::SendState ServerLoop::broken(std::uint32_t index, int error) {
  if (error == ECONNRESET || error == EPIPE)
    ++counts_.resets;
  else if (error == ETIMEDOUT)
    ++counts_.timeouts;
  else
    ++counts_.closed;
  close_connection(index);
  return SendState::closed;
}

void ServerLoop::close_connection(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (!connection.fd.valid()) return;
  connection.fd.reset();  // leaves the epoll set with it
  connection.head.clear();
  connection.input.clear();
  connection.out.clear();
  connection.body = nullptr;
  connection.body_at = connection.drained = 0;
  connection.registered = connection.writing = connection.counts = connection.close_after =
      connection.draining = false;
  deadlines_.remove(index);
  connections_.give_back(index);
  --open_;
  if (!accepting_) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = kListenerEvent;
    accepting_ = epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_, &event) == 0;
  }
}

void ServerLoop::close_expired() {
  while (deadlines_.first() != Deadlines::kNone && deadlines_.first_at() + limits_.idle <= now_) {
    const std::uint32_t index = deadlines_.first();
    const Connection& connection = connections_[index];
    if (connection.writing || connection.head.begun()) ++counts_.timeouts;
    close_connection(index);
  }
}

}  // namespace vtax::http
