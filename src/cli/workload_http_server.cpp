#include "cli/workload_http_server.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>

#include <csignal>
#include <iostream>
#include <memory>

#include "cli/http_files_options.h"
#include "cli/measure_options.h"
#include "core/interruption.h"
#include "core/net_address.h"
#include "core/readable.h"
#include "workload/http/server.h"

namespace vtax {
namespace {

struct HttpServerGiven {
  http::ServerOptions server;
  std::string directory, run_for, idle = "60s";
  HttpFilesOptions files;
  bool outlive = false;
  MeasureOptions output;
};

// The CPUs that this process may use.
int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

Result<ExitCode> run_http_server(const HttpServerGiven& given) {
  http::ServerOptions options = given.server;
  if (options.threads < 1 || options.threads > 256)
    return fail({"no such number of threads", fmt::format("{}", options.threads), "1 to 256"});
  if (options.connections < 1) return fail({"no such limit of connections", "it is 0", "for example 10000"});
  const auto idle = duration_of("--idle", given.idle);
  if (!idle) return fail(idle.error());
  if (idle->count() == 0)
    return fail({"no such duration for --idle", "it is zero", "for example --idle 60s"});
  options.idle = *idle;
  if (!given.run_for.empty()) {
    const auto run_for = duration_of("--for", given.run_for);
    if (!run_for) return fail(run_for.error());
    options.run_for = *run_for;
  }
  options.warn = [](const std::string& text) {
    std::cerr << "vtax: warning: " << printable_lines(text) << std::endl;
  };
  if (!given.outlive) prctl(PR_SET_PDEATHSIG, SIGTERM);

  const Result<http::Site> site = given.directory.empty()
                                      ? http::Site::of(given.files.make())
                                      : http::Site::of(std::filesystem::path(given.directory));
  if (!site) return fail(site.error());

  Outcome outcome;
  outcome.workload = "http-server";
  outcome.options = {{"bind", options.address},
                     {"threads", options.threads},
                     {"connections", options.connections},
                     {"idle_ns", options.idle.count()},
                     {"files", given.directory.empty() ? nlohmann::json(nullptr)
                                                       : nlohmann::json(printable(given.directory, 4096))},
                     {"seed", given.files.seed},
                     {"sizes", given.files.sizes}};
  const auto announce = [&](std::uint16_t port) {
    std::cerr << fmt::format("vtax: serving {} files, {:.1f} MB, on http://{}/\n",
                             with_thousands(site->files()), static_cast<double>(site->bytes()) / (1 << 20),
                             host_and_port(options.address, port))
              << std::flush;
  };
  const auto once = [&]() -> Result<Repeat> {
    auto report = http::serve(*site, options, announce);
    if (!report) return fail(report.error());
    return Repeat{std::move(*report)};
  };
  const auto judge = [](Outcome& done) {
    if (done.repeats.back().at(0).transactions.value == 0)
      done.warnings.emplace_back("Nothing was asked for that could be answered: the figures say nothing.");
  };
  MeasureOptions output = given.output;
  output.ends_by_interruption = true;
  const Result<ExitCode> done = measure(output, std::move(outcome), once, {}, judge);
  // Until it is interrupted is how long it runs, unless a time was given.
  return done && interrupted() && options.run_for ? ExitCode::interrupted : done;
}

Verb::Action add_http_server_options(CLI::App& app) {
  auto given = std::make_shared<HttpServerGiven>();
  http::ServerOptions& server = given->server;
  server.threads = usable_cpus();
  server.port = 8080;
  app.add_option("--bind", server.address,
                 "Address to listen on: 192.0.2.7, 2001:db8::7, fe80::1%eth0; 0.0.0.0 or :: is every network")
      ->capture_default_str();
  app.add_option("--port", server.port, "0 takes a free one, which standard error tells")
      ->capture_default_str();
  app.add_option("--files", given->directory,
                 "Serve this directory, without symbolic links, not the generated set");
  add_http_files_options(app, given->files);
  app.add_option("--threads", server.threads, "One for each CPU that the process may use")
      ->capture_default_str();
  app.add_option("--connections", server.connections, "Most at once; more are answered 503")
      ->capture_default_str();
  app.add_option("--idle", given->idle, "Close a connection that neither asks nor takes for so long")
      ->capture_default_str();
  app.add_option("--for", given->run_for,
                 "End after this time; else by Ctrl-C or with the program that started it");
  app.add_flag("--outlive", given->outlive, "Go on when the program that started it ends");
  app.add_option("--format", given->output.format, "What to print at the end")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_option("-o,--out,--output", given->output.output, "Into this file");
  return [given] { return run_http_server(*given); };
}

}  // namespace

Verb http_server_verb() {
  return {"http-server", "A static web server for any client; SPECweb99's files from memory, or a directory",
          "vtax workload http-server --bind 192.0.2.7 --port 8080 --for 1m\n"
          "  vtax workload http-server --files /var/www/html --threads 1",
          add_http_server_options};
}

}  // namespace vtax
