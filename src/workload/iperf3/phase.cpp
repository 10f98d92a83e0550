#include "workload/iperf3/phase.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <system_error>

namespace vtax::iperf3 {
namespace {

// The difference of two readings of the same counters.
StreamFigures difference(const StreamFigures& now, const StreamFigures& then) {
  StreamFigures out = now;
  out.bytes -= then.bytes;
  out.messages -= then.messages;
  const auto less = [](std::uint64_t& a, std::uint64_t b) { a = a > b ? a - b : 0; };
  less(out.reception.received, then.reception.received);
  less(out.reception.lost, then.reception.lost);  // what was lost at first may come late
  less(out.reception.reordered, then.reception.reordered);
  less(out.reception.duplicates, then.reception.duplicates);
  if (out.tcp && then.tcp) less(out.tcp->retransmits, then.tcp->retransmits);
  return out;
}

}  // namespace

Phase::Phase(const Parameters& test, const std::vector<Stream>& streams, Options options)
    : test_(test), streams_(streams), options_(options), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  std::uint64_t senders = 0, receivers = 0;
  for (const Stream& stream : streams) (stream.sends ? senders : receivers) += 1;
  std::uint64_t nth = 0;
  for (const Stream& stream : streams) {
    auto worker = std::make_unique<Worker>();
    // A server goes on with datagrams until the client has enough: some are lost.
    if (stream.sends && test.amount() != 0 && (options.ends_test || !test.udp)) {
      worker->share = test.amount() / senders + (nth < test.amount() % senders ? 1 : 0);
      ++nth;
    }
    workers_.push_back(std::move(worker));
  }
  if (options.ends_test && receivers != 0) awaited_.bytes = static_cast<std::int64_t>(test.amount());
}

Phase::~Phase() {
  stop(std::chrono::milliseconds(0));
}

Result<> Phase::start() {
  start_ = interval_start_ = Clock::now();
  if (options_.omit.count() == 0) begin_span(start_);
  try {
    for (std::size_t i = 0; i < streams_.size(); ++i) threads_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error& error) {
    return fail(Error{"start a thread for each stream", error.what(), "", ExitCode::trial_failed});
  }
  return {};
}

void Phase::work(std::size_t stream) {
  sigset_t broken_pipe;  // sendfile(2) cannot be told not to send it
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  Worker& worker = *workers_[stream];
  const bool counts_down = options_.ends_test && test_.amount() != 0 && !streams_[stream].sends;
  worker.outcome = transfer({test_, options_.transfer, streams_[stream], worker.share, signals_,
                             worker.record, counts_down ? &awaited_ : nullptr, event_.get()});
  if (!worker.outcome) failed_ = true;
  ++ended_;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
}

Phase::Clock::time_point Phase::next() const {
  if (!begun_) {
    const auto omit_end = start_ + options_.omit;
    return options_.interval.count() != 0 ? std::min(omit_end, interval_start_ + options_.interval)
                                          : omit_end;
  }
  Clock::time_point out = Clock::time_point::max();
  if (options_.duration.count() != 0) out = begin_ + options_.duration;
  if (options_.interval.count() != 0) out = std::min(out, interval_start_ + options_.interval);
  return out;
}

void Phase::run_due() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t cleared = read(event_.get(), &count, sizeof count);
  const Clock::time_point now = Clock::now();
  if (!begun_ && now >= start_ + options_.omit) {
    if (options_.interval.count() != 0) end_interval(now);
    begin_span(now);
    return;
  }
  const bool over = options_.duration.count() != 0 && begun_ && now >= begin_ + options_.duration;
  // The last interval is freeze()'s.
  if (options_.interval.count() != 0 && now >= interval_start_ + options_.interval && !over)
    end_interval(now);
}

bool Phase::finished() const {
  if (failed_) return true;
  if (!begun_) return false;
  if (options_.duration.count() != 0 && Clock::now() >= begin_ + options_.duration) return true;
  return options_.ends_test && test_.amount() != 0 && amount_end().has_value();
}

Result<> Phase::failure() const {
  if (!failed_) return {};
  for (const auto& worker : workers_)
    if (!worker->outcome) return worker->outcome;
  return {};
}

std::uint64_t Phase::moved(std::size_t stream) const {
  return workers_[stream]->record.counts.bytes.load(std::memory_order_relaxed);
}

std::uint64_t Phase::moved() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < workers_.size(); ++i) sum += moved(i);
  return sum;
}

std::optional<Phase::Clock::time_point> Phase::amount_end() const {
  if (awaited_.bytes > 0) return std::nullopt;
  std::int64_t last = awaited_.finished_ns;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i]->share == 0) continue;
    const std::int64_t done = workers_[i]->record.finished_ns;
    if (done == 0) return std::nullopt;
    last = std::max(last, done);
  }
  if (last == 0) return std::nullopt;
  return Clock::time_point(std::chrono::nanoseconds(last));
}

StreamFigures Phase::figures(std::size_t stream) {
  StreamRecord& record = workers_[stream]->record;
  StreamFigures out;
  if (!test_.udp && streams_[stream].sends) out.tcp = tcp_figures(streams_[stream].socket.get());
  if (test_.udp && !streams_[stream].sends) {
    const std::scoped_lock lock(record.mutex);
    out.reception = record.meter.so_far();
  }
  out.bytes = record.counts.bytes.load(std::memory_order_relaxed);
  out.messages = record.counts.messages.load(std::memory_order_relaxed);
  return out;
}

std::vector<StreamFigures> Phase::since(StreamFigures Worker::*point) {
  std::vector<StreamFigures> out;
  for (std::size_t i = 0; i < workers_.size(); ++i)
    out.push_back(difference(figures(i), (*workers_[i]).*point));
  return out;
}

// The omitted time is over: caches, windows and frequencies stay as they are, and counting begins.
void Phase::begin_span(Clock::time_point now) {
  meter_.emplace();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    if (test_.udp && !streams_[i].sends && options_.omit.count() != 0) {
      const std::scoped_lock lock(worker.record.mutex);
      worker.record.meter.restart();
    }
    worker.at_begin = worker.at_interval = figures(i);
  }
  begin_ = interval_start_ = now;
  begun_ = true;
}

void Phase::end_interval(Clock::time_point now) {
  if (report_.intervals.size() >= Order::most_intervals) return;
  const Clock::time_point zero = begun_ ? begin_ : start_;
  PhaseInterval interval{interval_start_ - zero, now - zero, !begun_, since(&Worker::at_interval)};
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->at_interval = figures(i);
  report_.intervals.push_back(std::move(interval));
  interval_start_ = now;
}

void Phase::freeze() {
  freeze(amount_end().value_or(Clock::now()));
}

void Phase::freeze(Clock::time_point end) {
  if (frozen_) return;
  frozen_ = true;
  if (!begun_) begin_span(Clock::now());
  end = std::max(end, begin_);
  report_.cpu = meter_->since();
  report_.duration = end - begin_;
  report_.streams = since(&Worker::at_begin);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    StreamRecord& record = workers_[i]->record;
    const std::scoped_lock lock(record.mutex);
    report_.highest.push_back(streams_[i].sends ? record.counts.messages.load() : record.meter.highest());
  }
  if (options_.interval.count() != 0 && end > interval_start_) end_interval(end);
}

void Phase::end_sending() {
  signals_.over = true;
  if (test_.udp) return;
  for (const Stream& stream : streams_)  // wakes who waits for the other side's window
    if (stream.sends) shutdown(stream.socket.get(), SHUT_WR);
}

void Phase::stop(std::chrono::milliseconds patience) {
  if (threads_.empty()) return;
  end_sending();
  const auto end = Clock::now() + patience;
  const auto all = static_cast<int>(threads_.size());
  if (test_.udp) {
    for (const Stream& stream : streams_)
      if (!stream.sends) shutdown(stream.socket.get(), SHUT_RD);
  }
  while (ended_ < all && Clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  while (ended_ < all) {
    for (const Stream& stream : streams_) shutdown(stream.socket.get(), SHUT_RDWR);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  threads_.clear();
  for (const auto& worker : workers_) {
    const auto found = worker->record.counts.failures.find("no_buffer_space");
    if (found != worker->record.counts.failures.end()) report_.no_buffer_space += found->second;
  }
}

}  // namespace vtax::iperf3
