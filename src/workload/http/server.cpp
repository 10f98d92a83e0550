#include "workload/http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "core/interruption.h"
#include "workload/http/listener.h"
#include "workload/http/open_files.h"
#include "workload/http/server_loop.h"

namespace vtax::http {
namespace {

constexpr std::size_t kDescriptorsOfTheServer =
    64;  // epoll, listeners, standard streams, what comes and goes

SideReport report_of(const ServerCounts& counts, const CpuUse& cpu) {
  SideReport out;
  out.side = "server";
  if (counts.first && counts.last)
    out.duration = std::max(*counts.last - *counts.first, std::chrono::nanoseconds(0));
  out.bytes = Bytes(counts.bytes);
  out.messages = Packets(counts.requests);
  out.transactions = Transactions(counts.responses);
  out.cpu = cpu;
  const double seconds = std::chrono::duration<double>(out.duration).count();
  const auto per_second = [&](std::uint64_t count) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
  };
  out.metrics = {{"responses", per_second(counts.responses), "1/s", true},
                 {"content", 8 * per_second(counts.bytes), "bit/s", true}};
  const std::initializer_list<std::pair<const char*, std::uint64_t>> failures{
      {"bad_request", counts.bad_requests},
      {"not_found", counts.not_found},
      {"timeout", counts.timeouts},
      {"too_many_connections", counts.too_many},
      {"reset", counts.resets},
      {"closed", counts.closed}};
  for (const auto& [kind, count] : failures)
    if (count != 0) out.failures[kind] = count;
  out.details["connections"] = counts.connections;
  return out;
}

}  // namespace

Result<SideReport> serve(const Site& site, const ServerOptions& options,
                         const std::function<void(std::uint16_t port)>& listening) {
  std::signal(SIGPIPE, SIG_IGN);  // sendfile(2) knows no MSG_NOSIGNAL
  raise_open_files();
  Result<Listeners> listeners = listen_on(options.address, options.port, options.threads);
  if (!listeners) return fail(listeners.error());

  const std::size_t held = kDescriptorsOfTheServer + site.descriptors();
  const std::size_t possible = open_files_limit() > held ? open_files_limit() - held : 1;
  const std::size_t most = std::max<std::size_t>(1, std::min(options.connections, possible));
  const auto threads = static_cast<std::size_t>(options.threads);
  ServerLoop::Limits limits{(most + threads - 1) / threads, options.idle, std::nullopt};
  if (most < options.connections && options.warn)
    options.warn(
        fmt::format("{} connections at once are possible, for this process may open {} files (ulimit -n); "
                    "more are answered 503",
                    most, open_files_limit()));
  std::vector<int> stops{interruption_fd()};
  if (options.stop_fd >= 0) stops.push_back(options.stop_fd);

  const CpuMeter cpu;
  if (options.run_for) limits.end = std::chrono::steady_clock::now() + *options.run_for;
  std::vector<std::unique_ptr<ServerLoop>> loops;
  for (const Descriptor& listener : listeners->sockets)
    loops.push_back(std::make_unique<ServerLoop>(site, listener.get(), limits, stops));
  if (listening) listening(listeners->port);

  std::vector<Result<>> ends(loops.size());
  std::vector<std::thread> workers;
  for (std::size_t i = 1; i < loops.size(); ++i) workers.emplace_back([&, i] { ends[i] = loops[i]->run(); });
  ends[0] = loops[0]->run();
  for (std::thread& worker : workers) worker.join();
  for (const Result<>& end : ends)
    if (!end) return fail(end.error());

  ServerCounts counts;
  for (const auto& loop : loops) counts.add(loop->counts());
  SideReport report = report_of(counts, cpu.since());
  report.details["threads"] = options.threads;
  report.details["connection_limit"] = limits.connections * threads;
  return report;
}

}  // namespace vtax::http
