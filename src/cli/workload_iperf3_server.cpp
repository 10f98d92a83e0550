#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <sstream>

#include "cli/measure_options.h"
#include "cli/workload_iperf3.h"
#include "core/readable.h"
#include "workload/iperf3/server.h"

namespace vtax {
namespace {

struct Iperf3ServerGiven {
  iperf3::ServerOptions server;
  std::string lifetime, longest = "60m", interval, format = "text";
  double rate_limit = 0;
};

Outcome outcome_of(const iperf3::TestReport& report) {
  Outcome outcome;
  outcome.workload = "iperf3-server";
  outcome.options = report.test.to_json();
  outcome.options["client"] = report.peer_host;
  outcome.started = report.started;
  outcome.repeats = {iperf3::sides_of(report)};
  outcome.summary = summarise({}, outcome.repeats);
  outcome.warnings = report.warnings;
  return outcome;
}

std::string text_of(const iperf3::TestReport& report) {
  std::ostringstream text;
  write_text(outcome_of(report), text);
  return printable_lines(text.str());
}

Result<ExitCode> run_iperf3_server(const Iperf3ServerGiven& given) {
  iperf3::ServerOptions options = given.server;
  if (!given.lifetime.empty()) {
    const auto lifetime = duration_of("--for", given.lifetime);
    if (!lifetime) return fail(lifetime.error());
    options.lifetime = *lifetime;
  }
  const auto longest = duration_of("--duration-limit", given.longest);
  if (!longest) return fail(longest.error());
  options.longest_test = std::chrono::ceil<std::chrono::seconds>(*longest);
  if (options.longest_test.count() == 0)
    return fail({"no such limit", "--duration-limit is 0", "for example --duration-limit 5m"});
  if (!given.interval.empty()) {
    const auto interval = duration_of("--interval", given.interval);
    if (!interval) return fail(interval.error());
    if (*interval < std::chrono::milliseconds(10))
      return fail({"no such interval", "shorter than 10 ms", ""});
    options.interval = *interval;
  }
  if (given.rate_limit < 0 || given.rate_limit > 1e15)
    return fail({"no such rate", fmt::format("{} bit/s", given.rate_limit), ""});
  options.most_bits_per_second = static_cast<std::uint64_t>(given.rate_limit);
  const bool json = given.format == "json";
  iperf3::ServerEvents events;
  // With JSON standard output holds one object a line and nothing else.
  events.note = [json](const std::string& text) {
    (json ? std::cerr : std::cout) << printable_lines(text) << std::endl;
  };
  events.done = [json](const iperf3::TestReport& report) {
    std::cout << (json ? outcome_of(report).to_json().dump(-1, ' ', true,
                                                           nlohmann::json::error_handler_t::replace) +
                             "\n"
                       : text_of(report))
              << std::flush;
  };
  events.output = text_of;
  if (Result<> served = iperf3::serve(options, events); !served) return fail(served.error());
  return ExitCode::ok;
}

Verb::Action add_iperf3_server_options(CLI::App& app) {
  auto given = std::make_shared<Iperf3ServerGiven>();
  iperf3::ServerOptions& server = given->server;
  app.add_option("--bind", server.at.host,
                 "Address to listen on. Whoever reaches it may run tests: the protocol has no password")
      ->capture_default_str();
  app.add_option("--port", server.at.port, "0: any")->capture_default_str();
  app.add_flag("--one-off", server.one_test, "End after the first whole test");
  app.add_option("--for", given->lifetime, "End by itself after this time");
  app.add_option("--duration-limit", given->longest, "Refuse longer tests, end those of an amount")
      ->capture_default_str();
  app.add_option("--rate-limit", given->rate_limit,
                 "Refuse tests that ask for more bit/s in all, or set no rate")
      ->transform(bit_rates());
  app.add_option("-i,--interval", given->interval, "Report what was done in each");
  app.add_flag("--discard", server.discard, "Receive without copying the payload");
  app.add_option("--format", given->format, "What to print after each test: text, or JSON on one line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_flag_callback(
      "--json", [given] { given->format = "json"; }, "As --format json");
  return [given] { return run_iperf3_server(*given); };
}

}  // namespace

Verb iperf3_server_verb() {
  return {"iperf3-server", "A server for iperf3 clients, stock or vtax's; one test at a time",
          "vtax workload iperf3-server --bind 192.0.2.7\n"
          "  vtax workload iperf3-server --port 5301 --one-off --json",
          add_iperf3_server_options};
}

}  // namespace vtax
