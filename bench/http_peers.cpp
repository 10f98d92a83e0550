// vtax's HTTP client against wrk and httperf, and its server against nginx: pairs, interleaved, on the same
// two CPUs (server on the first that this process may use, client on the second), over loopback.
//
//   http_peers [PAIRS [SECONDS]]      10 pairs of 2 s without
//
// Prints Markdown tables. CPU is that of the program that is compared, from the kernel (getrusage of the
// client's process, schedstat of the server's), start and end included. A ratio is vtax's value by the
// other's: its geometric mean over the pairs, with the 95 % confidence interval.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "bench/pairs.h"
#include "workload/http/file_set.h"
#include "workload/http/testing/stock_server.h"

namespace vtax::bench {
namespace {

struct Bench : Pairs {
  std::filesystem::path folder;  // the web root is in it
};

Sample vtax_client(const Bench& bench, const std::string& url, const Arguments& mode) {
  const std::string out = (bench.folder / "out.json").string();
  Arguments arguments{VTAX_BINARY, "workload", "http",       url,
                      "--warmup",  "0s",       "--duration", fmt::format("{}s", bench.seconds),
                      "--format",  "json",     "-o",         out};
  arguments.insert(arguments.end(), mode.begin(), mode.end());
  const auto end = run(bench, arguments);
  std::ifstream in(out);
  const auto side = nlohmann::json::parse(in)["repeats"][0]["sides"][0];
  for (const auto& [kind, count] : side["failures"].items())
    if (kind != "late") std::cerr << "http_peers: vtax: " << count << ' ' << kind << '\n';
  const double done = side["work"]["transactions"].get<double>();
  return {done / bench.seconds, std::chrono::duration<double>(end.cpu).count() / done};
}

Sample wrk(const Bench& bench, const std::string& url, const Arguments& mode) {
  Arguments arguments{needed("wrk"), "-t1", fmt::format("-d{}s", bench.seconds)};
  arguments.insert(arguments.end(), mode.begin(), mode.end());
  arguments.push_back(url);
  const auto end = run(bench, arguments);
  const double done = number_in(end.out, "([0-9]+) requests in");
  return {number_in(end.out, "Requests/sec: +([0-9.]+)"),
          std::chrono::duration<double>(end.cpu).count() / done};
}

Sample httperf(const Bench& bench, std::uint16_t port, const std::string& path, int rate) {
  const auto end = run(bench, {needed("httperf"), "--hog", "--server", "127.0.0.1", "--port",
                               std::to_string(port), "--uri", path, "--rate", std::to_string(rate),
                               "--num-conns", std::to_string(rate * bench.seconds), "--timeout", "5"});
  const double done = number_in(end.out, "replies ([0-9]+)");
  return {done / number_in(end.out, "test-duration ([0-9.]+)"),
          std::chrono::duration<double>(end.cpu).count() / done};
}

// One server's CPU while `load` asks it.
Sample served(const PeerProgram& server, const std::function<Sample()>& load, int seconds) {
  const auto before = server.cpu();
  Sample sample = load();
  sample.cpu = std::chrono::duration<double>(server.cpu() - before).count() / (sample.rate * seconds);
  return sample;
}

struct Case {
  const char* name;
  const char* path;
  bool keep_alive;
};
constexpr Case kCases[] = {{"512 B, keep-alive", "/dir00000/class0_4", true},
                           {"5 KB, keep-alive", "/dir00000/class1_4", true},
                           {"50 KB, keep-alive", "/dir00000/class2_4", true},
                           {"500 KB, keep-alive", "/dir00000/class3_4", true},
                           {"512 B, connection each", "/dir00000/class0_4", false}};

Arguments vtax_mode(const Case& one) {
  Arguments mode{"--closed", "64"};
  if (one.keep_alive) mode.emplace_back("--keep-alive");
  return mode;
}

Arguments wrk_mode(const Case& one) {
  Arguments mode{"-c64"};
  if (!one.keep_alive) mode.insert(mode.end(), {"-H", "Connection: close"});
  return mode;
}

void clients(const Bench& bench) {
  const auto nginx = must(http::StockServer::nginx(bench.folder / "root", bench.server_cpu));
  const auto url = [&](const Case& one) {
    return fmt::format("http://127.0.0.1:{}{}", nginx.port(), one.path);
  };
  heading("clients, nginx serves, 64 connections", "wrk");
  for (const Case& one : kCases)
    compare(
        bench, one.name, [&] { return vtax_client(bench, url(one), vtax_mode(one)); },
        [&] { return wrk(bench, url(one), wrk_mode(one)); });
  Arguments dropping = vtax_mode(kCases[3]);
  dropping.emplace_back("--drop-content");
  compare(
      bench, "500 KB, vtax --drop-content", [&] { return vtax_client(bench, url(kCases[3]), dropping); },
      [&] { return wrk(bench, url(kCases[3]), wrk_mode(kCases[3])); });

  heading("clients, nginx serves, fixed rate", "httperf");
  for (const int rate : {500, 2000})
    compare(
        bench, fmt::format("{} connections/s, 512 B", rate),
        [&] {
          return vtax_client(bench, url(kCases[4]), {"--connections-per-second", std::to_string(rate)});
        },
        [&] { return httperf(bench, nginx.port(), kCases[4].path, rate); });
}

void servers(const Bench& bench) {
  const auto nginx = must(http::StockServer::nginx(bench.folder / "root", bench.server_cpu));
  const std::uint16_t memory_port = http::free_port(), directory_port = http::free_port();
  const auto start = [&](std::uint16_t port, Arguments more) {
    Arguments arguments{VTAX_BINARY, "workload", "http-server",       "--threads",
                        "1",         "--port",   std::to_string(port)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto server = must(PeerProgram::start(arguments, bench.server_cpu));
    if (!http::listens(port, std::chrono::seconds(10))) give_up("vtax does not serve:\n" + server.output());
    return server;
  };
  const PeerProgram memory = start(memory_port, {});
  const PeerProgram directory = start(directory_port, {"--files", (bench.folder / "root").string()});
  const auto against_nginx = [&](const std::string& name, const Case& one, const PeerProgram& server,
                                 std::uint16_t port) {
    const auto load = [&](std::uint16_t at) {
      return [&bench, &one, at] {
        return wrk(bench, fmt::format("http://127.0.0.1:{}{}", at, one.path), wrk_mode(one));
      };
    };
    compare(
        bench, name, [&] { return served(server, load(port), bench.seconds); },
        [&] { return served(nginx.program(), load(nginx.port()), bench.seconds); });
  };
  heading("servers, wrk asks, 64 connections", "nginx");
  for (const Case& one : kCases) against_nginx(one.name, one, memory, memory_port);
  against_nginx("512 B, keep-alive, --files DIR", kCases[0], directory, directory_port);
  against_nginx("50 KB, keep-alive, --files DIR", kCases[2], directory, directory_port);
}

int measure(int argc, char** argv) {
  Bench bench;
  static_cast<Pairs&>(bench) = read_pairs(argc, argv);
  for (const char* program : {"nginx", "wrk", "httperf"}) static_cast<void>(needed(program));
  std::string pattern = (std::filesystem::temp_directory_path() / "vtax-http-XXXXXX").string();
  bench.folder = mkdtemp(pattern.data());
  std::filesystem::permissions(bench.folder, std::filesystem::perms(0755));
  if (auto written = http::FileSet(1).write(bench.folder / "root"); !written) give_up(written.error().text());
  clients(bench);
  servers(bench);
  std::filesystem::remove_all(bench.folder);
  return 0;
}

}  // namespace
}  // namespace vtax::bench

int main(int argc, char** argv) {
  return vtax::bench::measure(argc, argv);
}
