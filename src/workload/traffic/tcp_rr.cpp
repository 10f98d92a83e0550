#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "workload/traffic/agreement.h"
#include "workload/traffic/generator.h"
#include "workload/traffic/socket_io.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

// Request and response on a connection that stays (netperf's TCP_RR), one at a time or several in flight.
class TcpRr : public Generator {
 public:
  explicit TcpRr(const Order& order)
      : order_(order),
        in_flight_(static_cast<std::size_t>(order.in_flight)),
        out_(std::max(order.request_bytes, order.response_bytes) * in_flight_, kPayloadByte),
        in_(out_.size()),
        asked_(in_flight_) {}

  Result<> initiate(const Flow& flow, const FlowTask& task) override {
    task.start();
    Result<Totals> done = in_flight_ == 1 ? ask_one_by_one(flow, task) : ask_several(flow, task);
    if (!done) return fail(done.error());
    if (!task.timed()) return {};  // both counted the same number
    shutdown(flow.stream.get(), SHUT_WR);
    const Result<Totals> theirs = receive_totals(flow, task);
    if (!theirs) return fail(theirs.error());
    if (*theirs != *done) return fail(disagreement("tcp-rr", *done, *theirs));
    return {};
  }

  Result<> respond(const Flow& flow, const FlowTask& task) override {
    const int fd = flow.stream.get();
    Totals done;
    std::size_t held = 0;  // bytes of requests that are not answered yet
    while (task.timed() || done.messages < task.transactions) {
      const Result<std::size_t> some =
          receive_some_or_end(fd, std::span(in_).subspan(held), task.watchdog, "tcp-rr: wait for a request");
      if (!some) return fail(some.error());
      if (*some == 0 && task.timed() && held == 0) break;
      if (*some == 0) return fail(closed("tcp-rr: wait for a request"));
      task.start();
      held += *some;
      const std::size_t whole = held / order_.request_bytes;
      if (whole == 0) continue;
      held -= whole * order_.request_bytes;
      if (!task.timed() && whole > task.transactions - done.messages) return fail(too_much());
      const std::span<const std::byte> answer(out_.data(), whole * order_.response_bytes);
      if (Result<> sent = send_all(fd, answer, task.watchdog, "tcp-rr: send the response"); !sent)
        return sent;
      count(task, done, whole);
    }
    if (!task.timed()) return {};
    return send_totals(flow, task, done);
  }

 private:
  Result<Totals> ask_one_by_one(const Flow& flow, const FlowTask& task) {
    const int fd = flow.stream.get();
    const std::span<const std::byte> request(out_.data(), order_.request_bytes);
    const std::span<std::byte> response(in_.data(), order_.response_bytes);
    Totals done;
    while (task.timed() ? !task.over() : done.messages < task.transactions) {
      const Clock::time_point start = order_.latency ? Clock::now() : Clock::time_point();
      task.progress.asked(done.messages);
      Result<> step = send_all(fd, request, task.watchdog, "tcp-rr: send a request");
      if (step) step = receive_all(fd, response, task.watchdog, "tcp-rr: wait for the response");
      if (!step) return fail(step.error());
      task.progress.answered(done.messages);
      if (order_.latency) record(task, start, Clock::now());
      count(task, done, 1);
    }
    return done;
  }

  // Answers come in the order of the requests; as many new requests follow at once, in one write.
  Result<Totals> ask_several(const Flow& flow, const FlowTask& task) {
    const int fd = flow.stream.get();
    Totals done;
    std::uint64_t asked = 0;
    std::size_t held = 0;
    const auto ask = [&](std::uint64_t most) -> Result<> {
      std::uint64_t more =
          task.timed() ? (task.over() ? 0 : most) : std::min(most, task.transactions - asked);
      if (more == 0) return {};
      const Clock::time_point now = order_.latency ? Clock::now() : Clock::time_point();
      for (std::uint64_t i = 0; i < more; ++i) {
        task.progress.asked(asked + i);
        asked_[(asked + i) % in_flight_] = now;
      }
      asked += more;
      return send_all(fd, {out_.data(), more * order_.request_bytes}, task.watchdog, "tcp-rr: send requests");
    };
    if (Result<> sent = ask(in_flight_); !sent) return fail(sent.error());
    while (done.messages < asked) {
      const Result<std::size_t> some =
          receive_some(fd, std::span(in_).subspan(held), task.watchdog, "tcp-rr: wait for a response");
      if (!some) return fail(some.error());
      held += *some;
      const std::size_t whole = held / order_.response_bytes;
      if (whole == 0) continue;
      held -= whole * order_.response_bytes;
      if (whole > asked - done.messages) return fail(too_much());
      for (std::size_t i = 0; i < whole; ++i) task.progress.answered(done.messages + i);
      if (order_.latency) {
        const Clock::time_point now = Clock::now();
        for (std::size_t i = 0; i < whole; ++i) record(task, asked_[(done.messages + i) % in_flight_], now);
      }
      count(task, done, whole);
      if (Result<> sent = ask(whole); !sent) return fail(sent.error());
    }
    return done;
  }

  static void record(const FlowTask& task, Clock::time_point start, Clock::time_point end) {
    if (task.measuring()) task.record.latency.record(static_cast<std::uint64_t>((end - start).count()));
  }

  void count(const FlowTask& task, Totals& done, std::uint64_t transactions) const {
    const std::uint64_t bytes = transactions * (order_.request_bytes + order_.response_bytes);
    done.messages += transactions;
    done.bytes += bytes;
    FlowRecord::add(task.record.transactions, transactions);
    FlowRecord::add(task.record.bytes, bytes);
    task.progress.at(done.messages, done.bytes, done.messages);
  }

  static Error too_much() {
    return Error{"tcp-rr", "the other side sent more than agreed", "", ExitCode::trial_failed};
  }

  Order order_;
  std::size_t in_flight_;
  std::vector<std::byte> out_, in_;
  std::vector<Clock::time_point> asked_;
};

}  // namespace

std::unique_ptr<Generator> make_tcp_rr(const Order& order) {
  return std::make_unique<TcpRr>(order);
}

}  // namespace vtax
