#include "cli/workload_http.h"

#include <fmt/format.h>

#include <memory>

#include "cli/host_name.h"
#include "cli/http_files_options.h"
#include "cli/measure_options.h"
#include "workload/http/client.h"

namespace vtax {
namespace {

using http::Load;

struct HttpGiven {
  std::string url, host, duration = "10s", warmup = "1s", interval, timeout = "5s", late = "1ms";
  double rate = 0, connection_rate = 0;
  std::size_t closed = 0, connections = 1000;
  HttpFilesOptions files;
  bool file_set = false;
  Load load;
};

Result<> read_durations(const HttpGiven& given, Load& load) {
  const auto read = [](std::string_view option, const std::string& text,
                       std::chrono::nanoseconds& into) -> Result<> {
    if (text.empty()) return {};
    const auto duration = duration_of(option, text);
    if (!duration) return fail(duration.error());
    into = *duration;
    return {};
  };
  if (Result<> good = read("--duration", given.duration, load.duration); !good) return good;
  if (Result<> good = read("--warmup", given.warmup, load.warm_up); !good) return good;
  if (Result<> good = read("--timeout", given.timeout, load.timeout); !good) return good;
  return read("--late", given.late, load.late);
}

Result<Load> load_of(const HttpGiven& given, const MeasureOptions& options) {
  Load load = given.load;
  const auto resolved = resolve_url(given.url);
  if (!resolved) return fail(resolved.error());
  auto url = http::parse_url(resolved->url);
  if (!url) return fail(url.error());
  load.url = std::move(*url);
  for (const char c : given.host)
    if (c <= ' ' || c == 0x7f) return fail({"no use for --host", "it has spaces or control characters", ""});
  load.host = given.host.empty() ? resolved->authority : given.host;
  load.seed = given.files.seed;
  load.connections = given.connections;
  if (given.closed != 0) {
    load.mode = Load::Mode::closed;
    load.connections = given.closed;
  } else if (given.connection_rate != 0) {
    load.mode = Load::Mode::connections;
    load.rate = given.connection_rate;
  } else if (given.rate != 0) {
    load.rate = given.rate;
  } else {
    return fail(
        {"no load", "neither a rate nor a number of connections is given",
         "--rate 500 or --connections-per-second 500 for an open loop, --closed 64 for a closed one"});
  }
  if (load.mode != Load::Mode::connections && load.requests_per_connection != 1)
    return fail({"no use for --requests-per-connection", "it goes with --connections-per-second",
                 "--keep-alive lets connections go on without a limit"});
  if (Result<> good = read_durations(given, load); !good) return fail(good.error());
  const auto interval = interval_of(options, given.interval, load.duration);
  if (!interval) return fail(interval.error());
  load.interval = *interval;
  if (Result<> good = http::check(load); !good) return fail(good.error());
  return load;
}

nlohmann::json http_options_of(const HttpGiven& given, const Load& load) {
  nlohmann::json out{{"url", load.url.text()},
                     {"host", load.host.empty() ? load.url.authority() : load.host},
                     {"mode", load.mode == Load::Mode::closed        ? "closed"
                              : load.mode == Load::Mode::connections ? "connections"
                                                                     : "requests"},
                     {"keep_alive", load.keep_alive},
                     {"requests_per_connection", load.requests_per_connection},
                     {"connections", load.connections},
                     {"poisson", load.poisson},
                     {"threads", load.threads},
                     {"drop_content", load.drop_content},
                     {"seed", load.seed},
                     {"timeout_ns", load.timeout.count()},
                     {"late_ns", load.late.count()},
                     {"warmup_ns", load.warm_up.count()},
                     {"duration_ns", load.duration.count()},
                     {"interval_ns", load.interval.count()}};
  if (load.mode != Load::Mode::closed) out["rate"] = load.rate;
  if (given.file_set) out["file_set"] = given.files.sizes;
  return out;
}

// Of several repeats, the warnings of the one that had most.
void add_warnings(const std::vector<std::vector<std::string>>& all, Outcome& outcome) {
  std::size_t repeats = 0;
  const std::vector<std::string>* most = nullptr;
  for (const auto& one : all) {
    if (!one.empty()) ++repeats;
    if (most == nullptr || one.size() > most->size()) most = &one;
  }
  if (repeats == 0) return;
  for (const std::string& text : *most)
    outcome.warnings.push_back(
        all.size() == 1 ? text
                        : fmt::format("{} ({} of {} repeats have warnings)", text, repeats, all.size()));
}

Result<ExitCode> run_http(const HttpGiven& given, MeasureOptions& options) {
  const auto load = load_of(given, options);
  if (!load) return fail(load.error());
  const http::RequestSource source = given.file_set
                                         ? http::RequestSource(load->url, load->host, given.files.make())
                                         : http::RequestSource(load->url, load->host);
  Outcome outcome;
  outcome.workload = "http";
  outcome.options = http_options_of(given, *load);
  std::vector<std::vector<std::string>> warnings;
  const auto show = printed_intervals(options, load->interval);
  const auto once = [&]() -> Result<Repeat> {
    auto report = http::run_client(*load, source, show);
    if (!report) return fail(report.error());
    warnings.push_back(std::move(report->warnings));
    return Repeat{std::move(report->side)};
  };
  return measure(options, std::move(outcome), once, {}, [&](Outcome& done) { add_warnings(warnings, done); });
}

Verb::Action add_http_options(CLI::App& app) {
  auto given = std::make_shared<HttpGiven>();
  Load& load = given->load;
  app.add_option("url", given->url, "http://HOST:PORT/PATH; of any web server")->required();
  auto* rate =
      app.add_option("--rate", given->rate, "Open loop: requests due per second")->check(CLI::PositiveNumber);
  auto* connections = app.add_option("--connections-per-second", given->connection_rate,
                                     "Open loop: connections due per second")
                          ->check(CLI::PositiveNumber)
                          ->excludes(rate);
  app.add_option("-c,--closed", given->closed,
                 "Closed loop: so many connections, each as fast as it is answered")
      ->check(CLI::PositiveNumber)
      ->excludes(rate)
      ->excludes(connections);
  app.add_flag("--keep-alive", load.keep_alive, "Use a connection again; else each request has its own");
  app.add_option("--requests-per-connection", load.requests_per_connection, "With --connections-per-second")
      ->capture_default_str();
  app.add_option("--connections", given->connections, "Open loop: most at once; what is due waits for one")
      ->capture_default_str();
  app.add_flag("--poisson", load.poisson, "Open loop: exponential times between requests, not equal ones");
  app.add_option("-t,-d,--duration", given->duration, "Of the measured span")->capture_default_str();
  app.add_option("--warmup", given->warmup, "Before it, left out of the figures")->capture_default_str();
  app.add_option(
      "-i,--interval", given->interval,
      "Report what was done in each, as it ends; 0: none (default: 1s in text, none in other formats)");
  app.add_option("--timeout", given->timeout, "Of one request")->capture_default_str();
  app.add_option("--late", given->late, "What begins so much after it was due counts as late")
      ->capture_default_str();
  app.add_option("--threads", load.threads, "Share the connections")->capture_default_str();
  app.add_flag("--file-set", given->file_set,
               "Request the files of http-server by their popularity, below the URL");
  add_http_files_options(app, given->files);
  app.add_option("--host", given->host, "Name for the Host field");
  app.add_flag("--drop-content", load.drop_content,
               "The kernel drops content of known length instead of copying it");
  const auto options = add_measure_options(app);
  return [given, options] { return run_http(*given, *options); };
}

}  // namespace

Verb http_verb() {
  return {"http", "Requests to any web server, at a fixed rate (open loop) or as fast as it answers",
          "vtax workload http http://192.0.2.7:8080/ --file-set --connections-per-second 500\n"
          "  vtax workload http http://192.0.2.7/index.html --closed 64 --keep-alive --repeat 3,30",
          add_http_options};
}

}  // namespace vtax
