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

// A sender that waits for its turn looks up every 20 ms.
constexpr std::chrono::milliseconds kLastWriteLimit{500};

// The difference of two readings of the same counters.
StreamFigures difference(const StreamFigures& now, const StreamFigures& then) {
  StreamFigures out = now;
  const auto less = [](std::uint64_t& a, std::uint64_t b) { a = a > b ? a - b : 0; };
  less(out.bytes, then.bytes);
  less(out.messages, then.messages);
  less(out.reception.received, then.reception.received);
  less(out.reception.lost, then.reception.lost);
  less(out.reception.reordered, then.reception.reordered);
  less(out.reception.duplicates, then.reception.duplicates);
  if (out.tcp && then.tcp) less(out.tcp->retransmits, then.tcp->retransmits);
  return out;
}

// Two spans of a stream that follow each other, as one.
void add(StreamFigures& first, const StreamFigures& second) {
  const StreamFigures before = first;
  first = second;
  first.bytes += before.bytes;
  first.messages += before.messages;
  first.reception.received += before.reception.received;
  first.reception.lost += before.reception.lost;
  first.reception.reordered += before.reception.reordered;
  first.reception.duplicates += before.reception.duplicates;
  if (first.tcp && before.tcp) first.tcp->retransmits += before.tcp->retransmits;
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
  worker.ended = true;
  ++ended_;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
}

bool Phase::takes_intervals() const {
  return options_.interval.count() != 0 && report_.intervals.size() + 1 < Order::kMostIntervals;
}

Phase::Clock::time_point Phase::next() const {
  Clock::time_point out = Clock::time_point::max();
  if (!begun_) out = start_ + options_.omit;
  if (begun_ && options_.duration.count() != 0) out = begin_ + options_.duration;
  if (takes_intervals()) out = std::min(out, interval_start_ + options_.interval);
  return out;
}

void Phase::run_due() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t cleared = read(event_.get(), &count, sizeof count);
  const Clock::time_point now = Clock::now();
  if (!begun_ && now >= start_ + options_.omit) {
    if (options_.interval.count() != 0) end_interval(now, readings());
    begin_span(now);
    return;
  }
  const bool over = options_.duration.count() != 0 && begun_ && now >= begin_ + options_.duration;
  // The last interval is freeze()'s.
  if (takes_intervals() && now >= interval_start_ + options_.interval && !over) end_interval(now, readings());
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

StreamFigures Phase::figures(std::size_t stream, bool restart_reception) {
  StreamRecord& record = workers_[stream]->record;
  const bool sends = streams_[stream].sends;
  StreamFigures out;
  if (!test_.udp && sends) out.tcp = tcp_figures(streams_[stream].socket.get());
  if (test_.udp && !sends) {
    const std::scoped_lock lock(record.mutex);
    if (restart_reception) record.meter.restart();
    out.reception = record.meter.so_far();
    out.highest = record.meter.highest();
  }
  out.bytes = record.counts.bytes.load(std::memory_order_relaxed);
  out.messages = record.counts.messages.load(std::memory_order_relaxed);
  if (test_.udp && sends) out.highest = out.messages;
  return out;
}

std::vector<StreamFigures> Phase::readings() {
  std::vector<StreamFigures> out;
  for (std::size_t i = 0; i < workers_.size(); ++i) out.push_back(figures(i));
  return out;
}

// The omitted time is over: caches, windows and frequencies stay as they are, and counting begins.
void Phase::begin_span(Clock::time_point now) {
  meter_.emplace();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    worker.at_begin = worker.at_interval = figures(i, options_.omit.count() != 0);
    report_.omitted_highest.push_back(worker.at_begin.highest);
  }
  begin_ = interval_start_ = now;
  begun_ = true;
}

void Phase::end_interval(Clock::time_point now, const std::vector<StreamFigures>& figures) {
  const Clock::time_point zero = begun_ ? begin_ : start_;
  PhaseInterval interval{interval_start_ - zero, now - zero, !begun_, {}};
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const std::uint64_t lost_before = workers_[i]->at_interval.reception.lost;
    if (figures[i].reception.lost < lost_before) take_back_losses(i, lost_before - figures[i].reception.lost);
    interval.streams.push_back(difference(figures[i], workers_[i]->at_interval));
    workers_[i]->at_interval = figures[i];
  }
  report_.intervals.push_back(std::move(interval));
  interval_start_ = now;
}

// What an earlier interval had missed came late: it was not lost there.
void Phase::take_back_losses(std::size_t stream, std::uint64_t found) {
  for (auto interval = report_.intervals.rbegin(); interval != report_.intervals.rend(); ++interval) {
    if (interval->omitted == begun_ || found == 0) return;
    std::uint64_t& lost = interval->streams[stream].reception.lost;
    const std::uint64_t some = std::min(lost, found);
    lost -= some;
    found -= some;
  }
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
  const std::vector<StreamFigures> now = readings();
  for (std::size_t i = 0; i < workers_.size(); ++i)
    report_.streams.push_back(difference(now[i], workers_[i]->at_begin));
  if (options_.interval.count() == 0) return;
  const bool first = report_.intervals.empty() || report_.intervals.back().omitted;
  // An amount may have been done before the interval ended whose end has been seen since: what came between
  // belongs to that one.
  const Clock::time_point last_start = interval_start_;
  end_interval(std::max(end, interval_start_), now);
  if (end > last_start || first) return;
  const PhaseInterval rest = std::move(report_.intervals.back());
  report_.intervals.pop_back();
  PhaseInterval& last = report_.intervals.back();
  last.end = std::max(report_.duration, last.start);
  for (std::size_t i = 0; i < rest.streams.size(); ++i) add(last.streams[i], rest.streams[i]);
}

void Phase::count_last_writes() {
  const auto limit = Clock::now() + kLastWriteLimit;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (!streams_[i].sends) continue;
    while (!workers_[i]->ended && Clock::now() < limit)
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    const StreamFigures whole = difference(figures(i), workers_[i]->at_begin);
    StreamFigures& counted = report_.streams[i];
    const std::uint64_t bytes = whole.bytes - counted.bytes, messages = whole.messages - counted.messages;
    counted.bytes = whole.bytes;
    counted.messages = whole.messages;
    counted.highest = whole.highest;
    if (report_.intervals.empty() || report_.intervals.back().omitted) continue;
    report_.intervals.back().streams[i].bytes += bytes;
    report_.intervals.back().streams[i].messages += messages;
  }
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
