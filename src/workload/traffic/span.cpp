#include "workload/traffic/span.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <latch>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>

#include "workload/measure/marker.h"
#include "workload/traffic/generator.h"
#include "workload/traffic/tcp_figures.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollTime{1};

struct Worker {
  std::unique_ptr<Generator> generator;
  FlowRecord record;
  WindowProgress progress;
  bool sends = false;
  std::uint64_t bytes = 0, transactions = 0;
  Result<> outcome;
};

struct Counts {
  std::uint64_t bytes = 0, messages = 0, transactions = 0;
  std::uint64_t sent = 0;  // where both sides send: what this one has sent; `bytes` is then what it received
  std::uint64_t retransmits = 0;  // segments that this side has sent again
};

class SpanRun {
 public:
  SpanRun(const SpanRequest& request, const std::vector<Flow>& flows, const FlowPlace& place)
      : request_(request), order_(request.order), flows_(flows), listener_(place.listener) {
    for (std::size_t i = 0; i < flows.size(); ++i) {
      auto worker = std::make_unique<Worker>();
      worker->generator = make_generator(order_, place);
      worker->sends = sends(i);
      worker->bytes = share(order_.bytes.value, i);
      worker->transactions = share(order_.transactions.value, i);
      workers_.push_back(std::move(worker));
    }
  }

  Result<SideReport> run() {
    signals_.measuring = order_.warmup.count() == 0;
    if (Result<> done = timed() ? run_timed() : run_amount(); !done) return fail(done.error());
    return report();
  }

 private:
  [[nodiscard]] bool timed() const { return order_.duration.count() != 0; }

  [[nodiscard]] bool sends(std::size_t flow) const {
    if (order_.direction == Direction::both) return (flow % 2 == 0) == request_.initiator;
    return (order_.direction == Direction::send) == request_.initiator;
  }

  // Of a fixed amount: as equal as can be, the first flows one more.
  [[nodiscard]] std::uint64_t share(std::uint64_t amount, std::size_t flow) const {
    return amount / flows_.size() + (flow < amount % flows_.size() ? 1 : 0);
  }

  Result<> work(std::size_t flow) {
    Worker& worker = *workers_[flow];
    const auto watchdog = Watchdog::start(request_.limit + order_.warmup + order_.duration);
    if (!watchdog) return fail(watchdog.error());
    const FlowTask task{order_,       static_cast<int>(flow), worker.sends,
                        worker.bytes, worker.transactions,    *watchdog,
                        signals_,     worker.record,          worker.progress};
    return request_.initiator ? worker.generator->initiate(flows_[flow], task)
                              : worker.generator->respond(flows_[flow], task);
  }

  // Until the first of the work is there to be received.
  [[nodiscard]] Result<> wait_for_initiator() const {
    const auto watchdog = Watchdog::start(request_.limit);
    if (!watchdog) return fail(watchdog.error());
    std::vector<pollfd> waiting{{listener_, POLLIN, 0}};  // tcp-crr's work comes there
    for (const Flow& flow : flows_)
      for (const Descriptor* end : {&flow.stream, &flow.datagrams})
        if (end->valid()) waiting.push_back({end->get(), POLLIN, 0});
    while (poll(waiting.data(), waiting.size(), -1) < 0)
      if (errno != EINTR || watchdog->expired()) return fail(watchdog->timeout("wait for the work to begin"));
    return {};
  }

  // The lab counts every instruction between the markers: a single flow is worked on by this very thread.
  Result<> run_amount() {
    const bool window = request_.window;
    if (window && !request_.initiator)
      if (Result<> begun = wait_for_initiator(); !begun) return begun;
    if (flows_.size() == 1) {
      const auto watchdog = Watchdog::start(request_.limit);
      if (!watchdog) return fail(watchdog.error());
      Worker& worker = *workers_[0];
      if (window)
        worker.progress =
            WindowProgress(request_.marking, is_stream(order_.kind) ? worker.bytes : worker.transactions);
      const FlowTask task{order_,    0,        worker.sends,  worker.bytes,   worker.transactions,
                          *watchdog, signals_, worker.record, worker.progress};
      meter_.emplace();
      begin_ = Clock::now();
      if (window) marker::begin_window();
      const Result<> done = request_.initiator ? worker.generator->initiate(flows_[0], task)
                                               : worker.generator->respond(flows_[0], task);
      if (window) marker::end_window();
      end_ = Clock::now();
      cpu_ = meter_->since();
      counts_ = read();
      return done;
    }
    std::latch go(1);
    std::vector<std::jthread> threads = start_workers(go);
    meter_.emplace();
    begin_ = Clock::now();
    if (window) marker::begin_window();
    go.count_down();
    threads.clear();
    if (window) marker::end_window();
    end_ = Clock::now();
    cpu_ = meter_->since();
    counts_ = read();
    return first_error();
  }

  std::vector<std::jthread> start_workers(std::latch& go) {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      threads.emplace_back([this, i, &go] {
        go.wait();
        workers_[i]->outcome = work(i);
        ++finished_;
      });
    }
    return threads;
  }

  Result<> run_timed() {
    std::latch go(1);
    std::vector<std::jthread> threads = start_workers(go);
    go.count_down();
    while (!signals_.started && !all_finished()) std::this_thread::sleep_for(kPollTime);
    wait_until(Clock::now() + order_.warmup);
    if (stopped_) {
      signals_.over = true;
      threads.clear();
      return fail(Error{"stopped", "before anything was measured", "", ExitCode::interrupted});
    }

    signals_.measuring = true;
    meter_.emplace();
    const Counts at_begin = read();
    begin_ = Clock::now();
    const Clock::time_point planned_end = begin_ + order_.duration;
    Counts before = at_begin;
    std::chrono::nanoseconds start{};
    while (order_.interval.count() != 0 && begin_ + start + order_.interval < planned_end &&
           !all_finished()) {
      wait_until(begin_ + start + order_.interval);
      if (stopped_) break;
      before = add_interval(before, start);
    }
    wait_until(planned_end);
    counts_ = read();
    end_ = Clock::now();
    cpu_ = meter_->since();
    if (order_.interval.count() != 0) add_interval(before, start);
    counts_.bytes -= at_begin.bytes;
    counts_.sent -= at_begin.sent;
    counts_.messages -= at_begin.messages;
    counts_.transactions -= at_begin.transactions;
    counts_.retransmits -= at_begin.retransmits;
    signals_.over = true;
    threads.clear();
    return first_error();
  }

  // Sleeps on, unless every flow has ended: the other side was the first, or something broke.
  void wait_until(Clock::time_point when) {
    while (Clock::now() < when && !all_finished() && !stopped_) {
      std::this_thread::sleep_for(
          std::min<Clock::duration>(when - Clock::now(), std::chrono::milliseconds(20)));
      stopped_ = request_.stopped && request_.stopped();
    }
  }

  Counts add_interval(const Counts& before, std::chrono::nanoseconds& start) {
    const Counts now = read();
    const std::chrono::nanoseconds end = Clock::now() - begin_;
    intervals_.push_back(
        {start, end, Bytes(now.bytes - before.bytes), Transactions(now.transactions - before.transactions)});
    if (request_.on_interval) request_.on_interval(intervals_.back());
    start = end;
    return now;
  }

  [[nodiscard]] bool all_finished() const { return finished_ == static_cast<int>(workers_.size()); }

  [[nodiscard]] Counts read() const {
    Counts sum;
    for (const auto& worker : workers_) {
      const bool apart = order_.direction == Direction::both && worker->sends;
      (apart ? sum.sent : sum.bytes) += worker->record.bytes.load(std::memory_order_relaxed);
      sum.messages += worker->record.messages.load(std::memory_order_relaxed);
      sum.transactions += worker->record.transactions.load(std::memory_order_relaxed);
    }
    if (knows_retransmits())
      for (const Flow& flow : flows_)
        if (const auto figures = tcp_figures(flow.stream.get())) sum.retransmits += figures->retransmits;
    return sum;
  }

  // tcp-crr's connections come and go, and a fixed amount is not looked at while it is counted.
  [[nodiscard]] bool knows_retransmits() const {
    return timed() && (order_.kind == WorkKind::tcp_stream || order_.kind == WorkKind::tcp_rr);
  }

  [[nodiscard]] Result<> first_error() const {
    for (const auto& worker : workers_)
      if (!worker->outcome) return worker->outcome;
    return {};
  }

  SideReport report() const {
    SideReport side;
    side.duration = end_ - begin_;
    side.bytes = Bytes(counts_.bytes);
    side.messages = Packets(counts_.messages);
    side.transactions = Transactions(counts_.transactions);
    side.cpu = cpu_;
    side.intervals = intervals_;
    const double seconds = std::chrono::duration<double>(side.duration).count();
    if (is_stream(order_.kind)) {
      side.metrics.push_back({"rate", static_cast<double>(counts_.bytes) * 8 / seconds, "bit/s", true});
      if (order_.direction == Direction::both)
        side.metrics.push_back({"sent_rate", static_cast<double>(counts_.sent) * 8 / seconds, "bit/s", true});
    } else {
      side.metrics.push_back(
          {"transaction_rate", static_cast<double>(counts_.transactions) / seconds, "1/s", true});
    }
    const bool has_sent =
        std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->sends; });
    if (knows_retransmits() && (has_sent || !is_stream(order_.kind)))
      side.metrics.push_back({"retransmits", static_cast<double>(counts_.retransmits), "1", false});
    Histogram latency;
    for (const auto& worker : workers_) {
      latency.add(worker->record.latency);
      for (const auto& [kind, count] : worker->record.failures) side.failures[kind] += count;
    }
    if (!is_stream(order_.kind)) {
      if (!latency.empty()) side.latency = latency;
    } else if (!latency.empty()) {
      for (const auto& [label, share] :
           {std::pair{"lateness_p50", 0.5}, {"lateness_p99", 0.99}, {"lateness_max", 1.0}})
        side.metrics.push_back({label, static_cast<double>(latency.quantile(share)) * 1e-9, "s", false});
    }
    side.details["flows"] = nlohmann::json::array();
    for (const auto& worker : workers_)
      side.details["flows"].push_back({{"bytes", worker->record.bytes.load()}, {"sends", worker->sends}});
    if (order_.kind == WorkKind::udp_stream) add_datagrams(side, seconds);
    return side;
  }

  void add_datagrams(SideReport& side, double seconds) const {
    side.metrics.push_back({"datagram_rate", static_cast<double>(counts_.messages) / seconds, "1/s", true});
    Reception sum;
    double jitter = 0;
    int receivers = 0;
    for (const auto& worker : workers_) {
      if (worker->sends) continue;
      const Reception& one = worker->record.reception;
      sum.received += one.received;
      sum.lost += one.lost;
      sum.reordered += one.reordered;
      sum.duplicates += one.duplicates;
      jitter += one.jitter_ns;
      ++receivers;
    }
    if (receivers == 0) return;
    const auto all = static_cast<double>(sum.received + sum.lost);
    side.metrics.push_back({"loss", all > 0 ? static_cast<double>(sum.lost) / all : 0, "share", false});
    side.metrics.push_back({"jitter", jitter / receivers * 1e-9, "s", false});
    side.failures["lost"] += sum.lost;
    side.failures["reordered"] += sum.reordered;
    side.failures["duplicates"] += sum.duplicates;
  }

  const SpanRequest& request_;
  const Order& order_;
  const std::vector<Flow>& flows_;
  const int listener_;
  std::vector<std::unique_ptr<Worker>> workers_;
  SpanSignals signals_;
  std::atomic<int> finished_{0};
  bool stopped_ = false;

  std::optional<CpuMeter> meter_;
  CpuUse cpu_;
  Clock::time_point begin_, end_;
  Counts counts_;
  std::vector<IntervalReport> intervals_;
};

}  // namespace

Result<SideReport> run_span(const SpanRequest& request, const std::vector<Flow>& flows,
                            const FlowPlace& place) {
  return SpanRun(request, flows, place).run();
}

}  // namespace vtax
