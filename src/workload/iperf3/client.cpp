#include "workload/iperf3/client.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

#include "core/interruption.h"
#include "workload/iperf3/control.h"
#include "workload/iperf3/phase.h"
#include "workload/iperf3/streams.h"

namespace vtax::iperf3 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectLimit{5};
constexpr std::chrono::seconds kAnswerPatience{10};
constexpr std::chrono::seconds kResultsPatience{20};  // a stock server writes its report first
constexpr std::chrono::seconds kInterruptedPatience{5};
constexpr std::chrono::seconds kStallLimit{30};  // an amount of which nothing moves any more
// A stock server drops what it has not read when it hears of the end. What is sent is in its kernel by then;
// this is the time to read it.
constexpr std::chrono::milliseconds kAmountPause{100};
constexpr std::chrono::seconds kDrainPatience{2};

std::uint64_t socket_number(int fd, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, level, option, &value, &size) == 0 && value > 0 ? static_cast<std::uint64_t>(value)
                                                                        : 0;
}

using OnInterval = std::function<void(const IntervalReport&)>;

class ClientTest {
 public:
  ClientTest(const ClientOptions& options, Control control, const Cookie& cookie, OnInterval on_interval)
      : options_(options),
        control_(std::move(control)),
        cookie_(cookie),
        on_interval_(std::move(on_interval)) {}

  Result<TestReport> run() {
    if (Result<> ready = set_up(); !ready) return fail(ready.error());
    Phase phase(options_.test, streams_, phase_options());
    if (Result<> done = move_data(phase); !done) {
      if (done.error().code == ExitCode::interrupted)
        static_cast<void>(control_.send(State::client_terminate));
      return fail(done.error());
    }
    if (Result<> done = finish(phase); !done) return fail(done.error());
    return std::move(report_);
  }

 private:
  [[nodiscard]] Phase::Options phase_options() const {
    return {options_.transfer, options_.test.omit, options_.duration, options_.interval, true};
  }

  Result<> set_up() {
    if (Result<> sent = control_.send(cookie_); !sent) return sent;
    if (Result<> next = control_.expect(State::param_exchange, kAnswerPatience); !next) return next;
    if (Result<> sent = control_.send(options_.test.to_json()); !sent) return sent;
    if (Result<> next = control_.expect(State::create_streams, kAnswerPatience); !next) return next;
    auto streams = connect_streams(options_.server, options_.test, cookie_);
    if (!streams) return fail(streams.error());
    streams_ = std::move(*streams);
    report_.test = options_.test;
    report_.client = true;
    report_.cookie = cookie_.data();
    report_.peer_host = options_.server.host;
    report_.peer_port = options_.server.port;
    report_.started = std::chrono::system_clock::now();
    report_.control_segment_bytes = socket_number(control_.fd(), IPPROTO_TCP, TCP_MAXSEG);
    report_.send_buffer_bytes = socket_number(streams_[0].socket.get(), SOL_SOCKET, SO_SNDBUF);
    report_.receive_buffer_bytes = socket_number(streams_[0].socket.get(), SOL_SOCKET, SO_RCVBUF);
    report_.places = places_of(streams_);
    report_.congestion = congestion_of(streams_, options_.test);
    if (Result<> next = control_.expect(State::test_start, kAnswerPatience); !next) return next;
    return control_.expect(State::test_running, kAnswerPatience);
  }

  Result<> move_data(Phase& phase) {
    if (Result<> started = phase.start(); !started) return started;
    Clock::time_point stalled_at = Clock::now() + kStallLimit;
    std::uint64_t moved = 0;
    while (!phase.finished()) {
      const auto now = Clock::now();
      const auto until = std::min(phase.next(), now + std::chrono::seconds(1));
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now);
      std::array<pollfd, 3> waiting{{{control_.fd(), POLLIN | POLLRDHUP, 0},
                                     {interruption_fd(), POLLIN, 0},
                                     {phase.event_fd(), POLLIN, 0}}};
      poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
      if (interrupted() && phase.begun()) return end_early();
      if (interrupted()) return fail(interruption_error());
      if (waiting[0].revents != 0) {
        const Result<State> said = control_.receive_state(kAnswerPatience);
        return fail(said ? Error{"run a test with " + control_.peer(), "it ended the test before its end", "",
                                 ExitCode::trial_failed}
                         : said.error());
      }
      phase.run_due();
      tell_intervals(phase);
      if (options_.duration.count() != 0) continue;
      if (phase.moved() != moved) {
        moved = phase.moved();
        stalled_at = Clock::now() + kStallLimit;
      } else if (Clock::now() > stalled_at) {
        return fail(Error{"run a test with " + control_.peer(),
                          fmt::format("nothing moved for {} s, after {} bytes", kStallLimit.count(), moved),
                          "", ExitCode::trial_failed});
      }
    }
    if (Result<> failed = phase.failure(); !failed) return fail(explained(failed.error()));
    return {};
  }

  // Those that are new since the last call.
  void tell_intervals(const Phase& phase) {
    if (!on_interval_) return;
    for (const auto& all = phase.report().intervals; told_ < all.size(); ++told_)
      if (!all[told_].omitted) on_interval_(report_of(all[told_], report_.places));
  }

  // The user wants no more; what was measured until now is a measurement.
  Result<> end_early() {
    control_.end_in_spite_of_interruption();
    report_.interrupted = true;
    return {};
  }

  // A broken stream is mostly the server's end, of which its control connection says more.
  Error explained(const Error& error) const {
    const Result<State> said = control_.receive_state(std::chrono::milliseconds(500));
    return said || said.error().why.starts_with("it said nothing") ? error : said.error();
  }

  Result<> finish(Phase& phase) {
    phase.freeze();
    const bool amount = options_.duration.count() == 0;
    if (amount && !(options_.test.reverse)) std::this_thread::sleep_for(kAmountPause);
    if (Result<> sent = control_.send(State::test_end); !sent) return sent;
    phase.end_sending();
    phase.count_last_writes();
    report_.here = phase.report();
    tell_intervals(phase);
    if (Result<> next = control_.expect(State::exchange_results,
                                        report_.interrupted ? kInterruptedPatience : kResultsPatience);
        !next)
      return next;
    if (Result<> sent = control_.send(results_of(report_).to_json()); !sent) return sent;
    const auto fields = control_.receive_json("read the server's results",
                                              report_.interrupted ? kInterruptedPatience : kResultsPatience);
    if (!fields) return fail(fields.error());
    auto results = Results::from(*fields, options_.test);
    if (!results) return fail(results.error());
    report_.there = std::move(*results);
    if (Result<> next = control_.expect(State::display_results, kAnswerPatience); !next) return next;
    phase.stop(kDrainPatience);
    report_.here.no_buffer_space = phase.report().no_buffer_space;
    static_cast<void>(control_.send(State::done));
    std::vector<std::uint64_t> moved;
    for (std::size_t i = 0; i < streams_.size(); ++i) moved.push_back(phase.moved(i));
    if (Result<> good = check_claims(report_, moved); !good) return good;
    compare_counts(moved);
    return {};
  }

  // Where nothing was omitted and the server has closed the streams behind all that it sent, its counts and
  // this side's must be the same.
  void compare_counts(const std::vector<std::uint64_t>& moved) {
    std::uint64_t sent_here = 0, received_there = 0;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      const StreamResult& there = report_.there.streams[i];
      if (streams_[i].sends) {
        sent_here += report_.here.streams[i].bytes;
        received_there += there.bytes;
      } else if (!options_.test.udp && options_.test.reverse && options_.test.omit.count() == 0 &&
                 there.bytes > moved[i]) {
        report_.warnings.push_back(
            fmt::format("The server says that it sent {} bytes on stream {}; {} arrived.", there.bytes,
                        there.id, moved[i]));
      }
    }
    if (options_.duration.count() == 0 && !options_.test.udp && received_there < sent_here)
      report_.warnings.push_back(fmt::format(
          "Of the {} bytes sent the server has counted {}: it drops what it has not read when the "
          "test ends. The figures hold what it counted.",
          sent_here, received_there));
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (!streams_[i].sends || report_.there.streams[i].lost_known)
        continue;  // what this side receives it knows
      report_.warnings.emplace_back(
          "The server (before iperf3 3.13) counts lost datagrams with those of the omitted time (--warmup): "
          "how many the measured span lost is not known.");
      break;
    }
  }

  const ClientOptions& options_;
  Control control_;
  Cookie cookie_;
  std::vector<Stream> streams_;
  TestReport report_;
  OnInterval on_interval_;
  std::size_t told_ = 0;  // of its intervals, the omitted ones among them
};

}  // namespace

Result<TestReport> run_client(const ClientOptions& options, const OnInterval& on_interval) {
  if (Result<> good = options.test.check(); !good) return fail(good.error());
  const std::string name = "the server at " + host_and_port(options.server.host, options.server.port);
  const auto cookie = make_cookie();
  if (!cookie) return fail(cookie.error());
  Result<Descriptor> connection{Descriptor()};
  {
    const auto watchdog = Watchdog::start(kConnectLimit);
    if (!watchdog) return fail(watchdog.error());
    connection = tcp_connect(options.server, 0, {.congestion = ""}, *watchdog);
  }
  if (!connection) {
    Error error = connection.error();
    if (error.code == ExitCode::usage)
      return fail(std::move(error));  // it says what is wrong with the address
    error.next =
        fmt::format("start one there: iperf3 -s -p {0}, or vtax workload iperf3-server --bind {1} --port {0}",
                    options.server.port, options.server.host);
    return fail(std::move(error));
  }
  return ClientTest(options, Control(std::move(*connection), name), *cookie, on_interval).run();
}

}  // namespace vtax::iperf3
