#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "cli/host_name.h"
#include "cli/measure_options.h"
#include "cli/workload_iperf3.h"
#include "workload/iperf3/client.h"
#include "workload/iperf3/iperf3_json.h"

namespace vtax {
namespace {

struct Iperf3Given {
  iperf3::ClientOptions options;
  std::string duration = "10s", warmup = "0s", interval, direction = "send", copy = "user", pacing = "sleep";
  double rate = 0;
  bool reverse = false, both = false, delay = false;
};

Result<iperf3::ClientOptions> client_options(const Iperf3Given& given, const MeasureOptions& output) {
  iperf3::ClientOptions options = given.options;
  iperf3::Parameters& test = options.test;
  if (given.reverse && given.both)
    return fail({"no such direction", "--reverse and --bidir exclude each other", ""});
  test.reverse = given.reverse || given.direction == "receive";
  test.bidirectional = given.both || given.direction == "both";
  const auto warmup = duration_of("--warmup", given.warmup);
  if (!warmup) return fail(warmup.error());
  if (test.bytes == 0) {
    const auto duration = duration_of("--duration", given.duration);
    if (!duration) return fail(duration.error());
    if (duration->count() == 0)
      return fail({"nothing to do", "--duration is 0", "for example --duration 10s"});
    options.duration = *duration;
    test.time = std::chrono::ceil<std::chrono::seconds>(*duration);
  }
  test.omit = std::chrono::duration_cast<std::chrono::seconds>(*warmup);
  if (test.omit != *warmup)
    return fail(
        {"cannot leave out that time", "iperf3's protocol has whole seconds", "for example --warmup 1s"});
  const bool stock_format = output.format == "iperf3";
  const auto interval =
      interval_of(output, given.interval.empty() && stock_format ? "1s" : given.interval, options.duration);
  if (!interval) return fail(interval.error());
  if (interval->count() != 0 &&
      (*interval < std::chrono::milliseconds(10) ||
       options.duration / *interval > static_cast<std::int64_t>(Order::kMostIntervals)))
    return fail({"no such interval", "shorter than 10 ms, or too many of them", ""});
  options.interval = *interval;
  if (given.rate < 0 || given.rate > 1e15)
    return fail({"no such rate", fmt::format("{} bit/s", given.rate), ""});
  test.bits_per_second = static_cast<std::uint64_t>(given.rate);
  if (test.block_bytes == 0) test.block_bytes = test.udp ? 1448 : 128 * 1024;
  test.zero_copy = given.copy == "sendfile" && !test.udp;
  test.no_delay = !given.delay && !test.udp;
  test.wide_counters = test.udp;
  test.client_version = "vtax " VTAX_VERSION;
  options.transfer.pacing = given.pacing == "spin" ? Pacing::spin : Pacing::sleep;
  if (Result<> good = test.check(); !good) return fail(good.error());
  return options;
}

nlohmann::json options_json(const iperf3::ClientOptions& options) {
  nlohmann::json out = options.test.to_json();
  out["host"] = options.server.host;
  out["port"] = options.server.port;
  out["duration_ns"] = options.duration.count();
  out["interval_ns"] = options.interval.count();
  out["discard"] = options.transfer.discard;
  out["batch"] = options.transfer.batch;
  return out;
}

Result<ExitCode> run_iperf3_client(const Iperf3Given& given, MeasureOptions& output) {
  const bool stock_format = output.format == "iperf3";
  if (stock_format && output.policy.most != 1)
    return fail(
        {"cannot print several tests", "iperf3's JSON holds one", "leave --repeat or --format iperf3 out"});
  auto options = client_options(given, output);
  if (!options) return fail(options.error());
  Outcome outcome;
  outcome.workload = "iperf3-client";
  outcome.options = options_json(*options);
  const auto host = numeric_host(given.options.server.host);
  if (!host) return fail(host.error());
  options->server.host = *host;
  std::string stock;
  std::vector<std::string> warnings;
  int tests = 0;
  const auto show = printed_intervals(output, options->interval);
  const auto once = [&]() -> Result<Repeat> {
    // A stock server needs a moment between two tests; meanwhile it refuses connections.
    if (tests++ != 0) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const auto report = iperf3::run_client(*options, show);
    if (!report) return fail(report.error());
    if (stock_format) stock = iperf3::iperf3_json(*report);
    warnings = report->warnings;
    return iperf3::sides_of(*report);
  };
  return measure(
      output, std::move(outcome), once, [&](const Outcome&) { return stock; },
      [&](Outcome& done) {
        done.warnings.insert(done.warnings.end(), warnings.begin(), warnings.end());
        if (done.repeats.back().at(0).bytes.value == 0)
          done.warnings.emplace_back("Nothing arrived: the figures say nothing.");
      },
      [](const Error& error) { return iperf3::iperf3_json(error); });
}

Verb::Action add_iperf3_client_options(CLI::App& app) {
  auto given = std::make_shared<Iperf3Given>();
  iperf3::Parameters& test = given->options.test;
  test.block_bytes = 0;
  given->options.server.port = iperf3::kDefaultPort;
  app.add_option("host", given->options.server.host,
                 "The server: its name, or 192.0.2.7, 2001:db8::7, fe80::1%eth0, localhost")
      ->required();
  app.add_option("--port", given->options.server.port, "Of the server")->capture_default_str();
  app.add_flag("-u,--udp", test.udp, "Datagrams");
  app.add_option("-t,--duration", given->duration, "Of the measured span")->capture_default_str();
  app.add_option("-n,--bytes,--amount", test.bytes, "This much each way in place of a duration")
      ->transform(sizes());
  app.add_option("--warmup", given->warmup, "Before it, left out of the figures; whole seconds")
      ->capture_default_str();
  app.add_option(
      "-i,--interval", given->interval,
      "Report what was done in each, as it ends; 0: none (default: 1s in text and iperf3, none in json)");
  app.add_option("-P,--flows,--parallel", test.parallel, "Streams each way, each with its thread")
      ->capture_default_str();
  app.add_option("-d,--direction", given->direction, "send, receive, both")
      ->check(CLI::IsMember({"send", "receive", "both"}))
      ->capture_default_str();
  app.add_flag("-R,--reverse", given->reverse, "As --direction receive");
  app.add_flag("--bidir", given->both, "As --direction both");
  app.add_option("-r,--rate", given->rate, "Payload of each stream, bit/s: 941M; as fast as it goes without")
      ->transform(bit_rates());
  app.add_option("-l,--write", test.block_bytes, "Size of a write or a datagram (128K; UDP: 1448)")
      ->transform(sizes());
  app.add_option("-w,--window", test.window_bytes, "SO_SNDBUF and SO_RCVBUF on both sides")
      ->transform(sizes());
  app.add_option("--mss", test.segment_bytes, "Largest segment, payload in bytes");
  app.add_option("--congestion", test.congestion,
                 "Congestion control on both sides; the systems' own without");
  app.add_flag("--delay", given->delay, "Leave Nagle's algorithm on");
  app.add_option("--copy", given->copy, "user: write(2); sendfile")
      ->check(CLI::IsMember({"user", "sendfile"}))
      ->capture_default_str();
  app.add_flag("--discard", given->options.transfer.discard, "Receive without copying the payload");
  app.add_flag("--batch", given->options.transfer.batch, "Send many datagrams at once (UDP_SEGMENT)");
  app.add_option("--pacing", given->pacing, "How a rate is kept: sleep, spin")
      ->check(CLI::IsMember({"sleep", "spin"}))
      ->capture_default_str();
  app.add_flag("--get-server-output", test.server_output, "Ask for the server's report (--format iperf3)");
  const auto output = add_measure_options(app, {"iperf3"});
  return [given, output] { return run_iperf3_client(*given, *output); };
}

}  // namespace

Verb iperf3_client_verb() {
  return {"iperf3-client", "A bulk transfer with an iperf3 server, stock or vtax's",
          "vtax workload iperf3-client 192.0.2.7 --duration 10s --reverse\n"
          "  vtax workload iperf3-client 192.0.2.7 --udp --rate 200M --format iperf3",
          add_iperf3_client_options};
}

}  // namespace vtax
