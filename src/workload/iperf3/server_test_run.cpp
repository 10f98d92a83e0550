#include "workload/iperf3/server_test_run.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "core/interruption.h"
#include "core/readable.h"
#include "workload/iperf3/phase.h"
#include "workload/iperf3/streams.h"

namespace vtax::iperf3 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kParameterPatience{5};
constexpr std::chrono::seconds kStreamPatience{15};
constexpr std::chrono::seconds kTestGrace{30};  // beyond a test's time, for the client to end it
constexpr std::chrono::seconds kIdleLimit{60};  // nothing moves
constexpr std::chrono::seconds kEndPatience{10};
constexpr std::chrono::milliseconds kSettleQuiet{300};  // an amount: when nothing comes any more
constexpr std::chrono::seconds kSettleLimit{5};

class ServerTest {
 public:
  ServerTest(Control control, const Cookie& cookie, int listener, const ServerOptions& options,
             const ServerEvents& events)
      : control_(std::move(control)),
        cookie_(cookie),
        listener_(listener),
        options_(options),
        events_(events) {}

  Result<TestReport> run() {
    if (Result<> known = agree(); !known) return fail(known.error());
    if (Result<> ready = open_streams(); !ready) return fail(ready.error());
    Phase phase(test_, streams_, phase_options());
    if (Result<> done = move_data(phase); !done) {
      if (interrupted() || overdue_) static_cast<void>(control_.send(State::server_terminate));
      return fail(done.error());
    }
    if (Result<> done = finish(phase); !done) {
      static_cast<void>(control_.send_error(ErrorNumber::bad_results, 0));
      return fail(done.error());
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] Phase::Options phase_options() const {
    TransferOptions transfer;
    transfer.discard = options_.discard;
    return {transfer, test_.omit, {}, options_.interval, false};
  }

  Result<> agree() {
    if (Result<> sent = control_.send(State::param_exchange); !sent) return sent;
    const auto fields = control_.receive_json("read the client's parameters", kParameterPatience);
    if (!fields) return refuse(ErrorNumber::bad_parameters, fields.error());
    const auto test = Parameters::from(*fields);
    if (!test) return refuse(ErrorNumber::bad_parameters, test.error());
    test_ = *test;
    const auto refusal = [&](std::string why, std::string next) {
      return Error{"do what " + control_.peer() + " asks", std::move(why), std::move(next),
                   ExitCode::trial_failed};
    };
    if (test_.time + test_.omit > options_.longest_test)
      return refuse(ErrorNumber::too_long,
                    refusal(fmt::format("a test of {} s is longer than {} s",
                                        (test_.time + test_.omit).count(), options_.longest_test.count()),
                            "--duration-limit allows longer ones"));
    const double rate = static_cast<double>(test_.bits_per_second) * static_cast<double>(test_.streams());
    if (options_.most_bits_per_second != 0 &&
        (test_.bits_per_second == 0 || rate > static_cast<double>(options_.most_bits_per_second)))
      return refuse(ErrorNumber::total_rate,
                    refusal("it sets no rate, or one above the limit", "--rate-limit allows more"));
    return {};
  }

  Result<> refuse(ErrorNumber number, Error error) const {
    static_cast<void>(control_.send_error(number, 0));
    return fail(std::move(error));
  }

  Result<> open_streams() {
    auto acceptor = StreamAcceptor::open(listener_, options_.at, test_);
    if (!acceptor) {
      static_cast<void>(control_.send_error(ErrorNumber::stream_listen, errno));
      return fail(acceptor.error());
    }
    if (Result<> sent = control_.send(State::create_streams); !sent) return sent;
    auto streams = acceptor->accept(control_, test_, cookie_, kStreamPatience);
    if (!streams) return fail(streams.error());
    streams_ = std::move(*streams);
    report_.warnings = acceptor->warnings();
    report_.test = test_;
    report_.cookie = cookie_.data();
    report_.started = std::chrono::system_clock::now();
    report_.places = places_of(streams_);
    report_.peer_host = report_.places[0].remote_host;
    report_.peer_port = report_.places[0].remote_port;
    report_.congestion = congestion_of(streams_, test_);
    if (Result<> sent = control_.send(State::test_start); !sent) return sent;
    return control_.send(State::test_running);
  }

  // Until the client says that it is over.
  Result<> move_data(Phase& phase) {
    if (Result<> started = phase.start(); !started) return started;
    const auto time = test_.time.count() != 0 ? test_.time + test_.omit + kTestGrace : options_.longest_test;
    const auto deadline = Clock::now() + time;
    auto idle_at = Clock::now() + kIdleLimit;
    std::uint64_t moved = 0;
    std::optional<Clock::time_point> failed_at;
    while (true) {
      const auto now = Clock::now();
      const auto until = std::min(phase.next(), now + std::chrono::milliseconds(failed_at ? 50 : 1000));
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now);
      std::array<pollfd, 4> waiting{{{control_.fd(), POLLIN | POLLRDHUP, 0},
                                     {listener_, POLLIN, 0},
                                     {interruption_fd(), POLLIN, 0},
                                     {failed_at ? -1 : phase.event_fd(), POLLIN, 0}}};
      poll(waiting.data(), waiting.size(), static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
      if (interrupted()) return fail(interruption_error());
      if (waiting[0].revents != 0) return control_.expect(State::test_end, kEndPatience);
      if (waiting[1].revents != 0) turn_away(listener_);
      phase.run_due();
      if (phase.moved() != moved) {
        moved = phase.moved();
        idle_at = Clock::now() + kIdleLimit;
      }
      // A stream that breaks is mostly a client that goes; its control connection will say.
      if (phase.finished() && !failed_at) failed_at = Clock::now();
      if (failed_at && Clock::now() - *failed_at > std::chrono::seconds(1)) return phase.failure();
      if (Clock::now() > deadline || Clock::now() > idle_at) return fail(overdue());
    }
  }

  Error overdue() {
    overdue_ = true;
    return {"wait for the end of the test of " + control_.peer(),
            "its time is over, or nothing has moved for a minute", "", ExitCode::trial_failed};
  }

  Result<> finish(Phase& phase) {
    const bool settles = test_.amount() != 0 && test_.omit.count() == 0;
    const auto ended = Clock::now();
    if (!settles) {
      phase.freeze();
      phase.end_sending();
    }
    if (Result<> sent = control_.send(State::exchange_results); !sent) return sent;
    const auto fields = control_.receive_json("read the client's results", kEndPatience);
    if (!fields) return fail(fields.error());
    auto results = Results::from(*fields, test_);
    if (!results) return fail(results.error());
    report_.there = std::move(*results);
    if (settles) settle(phase, ended);
    phase.end_sending();
    phase.count_last_writes();
    phase.stop(std::chrono::milliseconds(0));
    report_.here = phase.report();
    std::vector<std::uint64_t> moved;
    for (std::size_t i = 0; i < streams_.size(); ++i) moved.push_back(phase.moved(i));
    if (Result<> good = check_claims(report_, moved); !good) return good;

    Results own = results_of(report_);
    if (test_.server_output && events_.output) own.server_output = events_.output(report_);
    if (Result<> sent = control_.send(own.to_json()); !sent) return sent;
    if (Result<> sent = control_.send(State::display_results); !sent) return sent;
    // The test is done; a client that leaves without a word is no news.
    static_cast<void>(control_.expect(State::done, kEndPatience));
    return {};
  }

  // Of a fixed amount the client has said now how much went each way. What is still on its way here belongs
  // to it, and so does what a sender has handed to the kernel but not yet counted.
  void settle(Phase& phase, Clock::time_point ended) {
    const auto complete = [&] {
      for (std::size_t i = 0; i < streams_.size(); ++i)
        if (phase.moved(i) < report_.there.streams[i].bytes) return false;
      return true;
    };
    const auto limit = Clock::now() + kSettleLimit;
    auto last = ended, quiet_since = Clock::now();
    std::uint64_t moved = phase.moved();
    while (!complete() && Clock::now() < limit && Clock::now() - quiet_since < kSettleQuiet &&
           !interrupted()) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      if (phase.moved() == moved) continue;
      moved = phase.moved();
      last = quiet_since = Clock::now();
    }
    phase.freeze(std::max(last, phase.amount_end().value_or(last)));
  }

  Control control_;
  Cookie cookie_;
  int listener_;
  const ServerOptions& options_;
  const ServerEvents& events_;
  Parameters test_;
  std::vector<Stream> streams_;
  TestReport report_;
  bool overdue_ = false;
};

}  // namespace

Result<TestReport> run_server_test(Control control, const Cookie& cookie, int listener,
                                   const ServerOptions& options, const ServerEvents& events) {
  return ServerTest(std::move(control), cookie, listener, options, events).run();
}

}  // namespace vtax::iperf3
