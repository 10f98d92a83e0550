#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "workload/traffic/agreement.h"
#include "workload/traffic/datagram.h"
#include "workload/traffic/generator.h"
#include "workload/traffic/socket_io.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

// Request and response in datagrams (netperf's UDP_RR). A message begins with its exchange's number, so that
// late and doubled answers are told apart from the one that is due. A request is not repeated: its loss is
// counted.
class UdpRr : public Generator {
 public:
  explicit UdpRr(const Order& order)
      : order_(order),
        out_(std::max(order.request_bytes, order.response_bytes), kPayloadByte),
        in_(out_.size() + 1),
        asked_(static_cast<std::size_t>(order.in_flight)) {}

  Result<> initiate(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.datagrams.get();
    if (Result<> set = set_patience(fd); !set) return set;
    task.start();
    std::uint64_t next = 0, answered = 0, lost = 0;
    const auto open = [&] { return next - answered - lost; };
    const auto may_ask = [&] { return task.timed() ? !task.over() : next < task.transactions; };
    while (may_ask() || open() > 0) {
      while (may_ask() && open() < asked_.size()) {
        task.progress.asked(next);
        if (Result<> sent = ask(fd, next, task); !sent) return sent;
        ++next;
      }
      const Result<std::size_t> some = receive_datagram(fd, task, "udp-rr: wait for a response");
      if (!some) return fail(some.error());
      if (*some == 0) {  // patience is over: all that was open is lost
        task.record.failures["lost"] += open();
        lost += open();
        first_open_ = next;
        continue;
      }
      if (!take_answer(*some, next, task)) continue;
      ++answered;
      FlowRecord::add(task.record.transactions, 1);
      FlowRecord::add(task.record.bytes, order_.request_bytes + order_.response_bytes);
      task.progress.at(answered, answered * (order_.request_bytes + order_.response_bytes), answered);
    }
    return finish(flow, task, next);
  }

  Result<> respond(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.datagrams.get();
    Totals done;
    while (true) {
      const Result<std::size_t> some = receive_datagram(fd, task, "udp-rr: wait for a request");
      if (!some) return fail(some.error());
      std::uint64_t number = 0;
      if (*some < sizeof number) continue;
      std::memcpy(&number, in_.data(), sizeof number);
      if (number == kLastDatagram) break;
      if (*some != order_.request_bytes) continue;
      task.start();
      std::memcpy(out_.data(), &number, sizeof number);
      if (Result<> sent = send_datagram(fd, order_.response_bytes, task); !sent) return sent;
      done.messages += 1;
      done.bytes += order_.request_bytes + order_.response_bytes;
      FlowRecord::add(task.record.transactions, 1);
      FlowRecord::add(task.record.bytes, order_.request_bytes + order_.response_bytes);
      task.progress.at(done.messages, done.bytes, done.messages);
    }
    return send_totals(flow, task, done);
  }

 private:
  Result<> set_patience(int fd) const {
    if (order_.patience.count() == 0) return {};
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(order_.patience).count();
    const timeval limit{us / 1'000'000, us % 1'000'000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
      return fail(failed_step("udp-rr"));
    return {};
  }

  Result<> ask(int fd, std::uint64_t number, const FlowTask& task) {
    std::memcpy(out_.data(), &number, sizeof number);
    if (order_.latency) asked_[number % asked_.size()] = {number, Clock::now()};
    return send_datagram(fd, order_.request_bytes, task);
  }

  // Whether the datagram in in_ answers an open exchange; each is answered once.
  bool take_answer(std::size_t size, std::uint64_t next, const FlowTask& task) {
    std::uint64_t number = 0;
    if (size != order_.response_bytes) return false;
    std::memcpy(&number, in_.data(), sizeof number);
    if (number < first_open_ || number >= next) {
      task.record.failures["late_or_doubled"] += 1;
      return false;
    }
    task.progress.answered(number);
    if (asked_.size() == 1) first_open_ = number + 1;
    if (order_.latency) {
      Asked& asked = asked_[number % asked_.size()];
      if (asked.number != number) {
        task.record.failures["late_or_doubled"] += 1;
        return false;
      }
      asked.number = kLastDatagram;
      if (task.measuring())
        task.record.latency.record(static_cast<std::uint64_t>((Clock::now() - asked.at).count()));
    }
    return true;
  }

  // 0: patience is over.
  Result<std::size_t> receive_datagram(int fd, const FlowTask& task, std::string_view step) {
    while (true) {
      const ssize_t some = recv(fd, in_.data(), in_.size(), 0);
      if (task.watchdog.expired()) return fail(task.watchdog.timeout(std::string(step)));
      if (some > 0) return static_cast<std::size_t>(some);
      if (some < 0 && errno == EAGAIN) return std::size_t{0};
      if (some < 0 && errno != EINTR && errno != ECONNREFUSED) return fail(failed_step(step));
    }
  }

  Result<> send_datagram(int fd, std::size_t size, const FlowTask& task) const {
    while (send(fd, out_.data(), size, 0) < 0) {
      if (task.watchdog.expired()) return fail(task.watchdog.timeout("udp-rr: send"));
      if (errno == ENOBUFS || errno == ECONNREFUSED) return {};  // lost, as on the wire
      if (errno != EINTR) return fail(failed_step("udp-rr: send"));
    }
    return {};
  }

  Result<> finish(const Flow& flow, const FlowTask& task, std::uint64_t asked) const {
    const DatagramHeader last{kLastDatagram, static_cast<std::int64_t>(asked)};
    while (true) {
      static_cast<void>(send(flow.datagrams.get(), &last, sizeof last, MSG_DONTWAIT));
      pollfd waiting{flow.stream.get(), POLLIN, 0};
      if (poll(&waiting, 1, 10) == 1) break;
      if (task.watchdog.expired())
        return fail(task.watchdog.timeout("udp-rr: wait for the responder's count"));
    }
    const Result<Totals> theirs = receive_totals(flow, task);
    if (!theirs) return fail(theirs.error());
    if (theirs->messages < task.record.transactions.load() || theirs->messages > asked)
      return fail(
          disagreement("udp-rr", {task.record.bytes.load(), task.record.transactions.load()}, *theirs));
    return {};
  }

  struct Asked {
    std::uint64_t number = kLastDatagram;
    Clock::time_point at;
  };

  Order order_;
  std::vector<std::byte> out_, in_;
  std::vector<Asked> asked_;
  std::uint64_t first_open_ = 0;
};

}  // namespace

std::unique_ptr<Generator> make_udp_rr(const Order& order) {
  return std::make_unique<UdpRr>(order);
}

}  // namespace vtax
