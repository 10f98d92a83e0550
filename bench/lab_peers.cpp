// vtax's generators against other people's inside the lab: program instructions for a unit of work, exact.
//
//   lab_peers [streams|exchanges|web]        every table, which takes some minutes, or one
//
// The same booted machine runs each program by its own command line, vtax by hand like the others, once with
// less and once with more to do; the difference of the two windows leaves start and end of the program out.
// Client and server run on CPUs of their own, so that each has its column. What a kernel does for them is
// not in these figures: it is the same one for all.

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>

#include "bench/image_with.h"
#include "bench/must.h"
#include "core/files.h"
#include "core/units.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/cpio.h"
#include "machine/parts/lab_parts.h"
#include "machine/parts/shared_libraries.h"

namespace {

using namespace vtax;
using namespace vtax::lab;
namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

const std::vector<std::string> kPeers = {"iperf3", "iperf", "sockperf", "wrk", "nginx"};

fs::path path_of(const std::string& program) {
  for (const char* folder : {"/usr/bin", "/usr/sbin", "/bin"})
    if (fs::exists(fs::path(folder) / program)) return fs::path(folder) / program;
  quit(program + " is not installed; scripts/install-dependencies --tests has it");
}

constexpr const char* kNginx =
    "worker_processes 1; pid /run/nginx.pid; error_log /run/nginx.log; daemon off; user root;\n"
    "events { worker_connections 256; }\n"
    "http { access_log off; sendfile on; keepalive_requests 100000000;\n"
    "  client_body_temp_path /run/1; proxy_temp_path /run/2; fastcgi_temp_path /run/3; uwsgi_temp_path "
    "/run/4;\n"
    "  scgi_temp_path /run/5;\n"
    "  server { listen 127.0.0.1:8080; root /www; } }\n";

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

constexpr const char* kTokenFile = "/etc/vtax-token";

// The peers, their libraries, and the files that web servers serve, behind the image's own archive.
LabImage with_peers(LabImage image, const fs::path& folder) {
  CpioArchive extra;
  std::vector<fs::path> programs;
  for (const std::string& name : kPeers) {
    programs.push_back(path_of(name));
    extra.file("bin/" + name, must(read_file(programs.back())), 0755);
  }
  auto libraries = must(library_closure(programs, "/"));
  for (const char* loaded_later : {"libgcc_s.so.1", "libnss_files.so.2"})
    if (const fs::path file = fs::path("/lib/x86_64-linux-gnu") / loaded_later; fs::exists(file))
      libraries.found[loaded_later] = file;
  for (const auto& [name, file] : libraries.found) {
    const bool loader = name.starts_with("ld-linux");
    extra.file((loader ? "lib64/" : "lib/x86_64-linux-gnu/") + name, must(read_file(file)), 0755);
  }
  extra.file("etc/nginx.conf", bytes_of(kNginx));
  extra.file("etc/passwd", bytes_of("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"));
  extra.file("etc/group", bytes_of("root:x:0:\nnogroup:x:65534:\n"));
  extra.file("etc/vtax-token", bytes_of("token-of-the-bench\n"), 0600);
  extra.file("etc/hosts", bytes_of("127.0.0.1 localhost\n"));
  extra.file("www/512", std::vector<std::uint8_t>(512, 'x'));
  extra.file("www/5k", std::vector<std::uint8_t>(5120, 'x'));
  extra.directory("var/log/nginx");
  return image_with(std::move(image), extra, folder);
}

struct Sides {
  double client = 0, server = 0;  // program instructions
  double work = 0;
};

// A program that is run for so much work, and for more.
struct Subject {
  std::string name;
  std::uint64_t less = 0, more = 0;
  Arguments server;
  std::function<Arguments(std::uint64_t)> client;
  std::function<double(const std::string&)> done =
      {};  // the work, from what it printed; else what was asked for
};

struct Bench {
  const LabMachine& machine;

  Sides run(const Subject& subject, std::uint64_t amount) const {
    nlohmann::json plan = {{"version", 1},
                           {"platform", "native"},
                           {"workload", "programs"},
                           {"client", subject.client(amount)},
                           {"time_limit_ns", 55'000'000'000}};
    plan["server"] = subject.server;
    const auto seen = machine.observe(plan.dump(), [](std::string_view) {});
    if (!seen) quit(subject.name + ": " + seen.error().text());
    const auto ledger = must(machine.ledger_of(*seen, {}));
    Sides out;
    for (const LedgerEntry& entry : ledger.entries) {
      if (entry.kind != "instructions" || entry.layer != Layer::program) continue;
      (entry.cpu == 2 ? out.client : out.server) += static_cast<double>(entry.value);
    }
    const std::string printed = nlohmann::json::parse(seen->answer).value("output", "");
    out.work = subject.done ? subject.done(printed) : static_cast<double>(amount);
    return out;
  }

  Sides per_unit(const Subject& subject) const {
    const Sides small = run(subject, subject.less), large = run(subject, subject.more);
    const double work = large.work - small.work;
    if (work <= 0) quit(subject.name + ": no more work with more to do");
    return {(large.client - small.client) / work, (large.server - small.server) / work, work};
  }
};

void heading(const char* unit) {
  fmt::print(
      "\n| program instructions per {} | peer | client: vtax | peer | ratio | server: vtax | peer | ratio |\n"
      "|---|---|---|---|---|---|---|---|\n",
      unit);
}

void row(const Bench& bench, const std::string& what, const Subject& ours, const Subject& theirs,
         double unit = 1) {
  const Sides us = bench.per_unit(ours), them = bench.per_unit(theirs);
  fmt::print("| {} | {} | {:.1f} | {:.1f} | {:.2f} | {:.1f} | {:.1f} | {:.2f} |\n", what, theirs.name,
             us.client * unit, them.client * unit, us.client / them.client, us.server * unit,
             them.server * unit, us.server / them.server);
  std::fflush(stdout);
}

Arguments joined(Arguments first, const Arguments& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

double number_in(const std::string& text, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern))) quit("no " + pattern + " in:\n" + text);
  return std::stod(match[1]);
}

constexpr const char* kVtax = "/init";

Subject vtax_pair(const Arguments& mode, const std::string& amount_option, std::uint64_t less,
                  std::uint64_t more) {
  return {"vtax",
          less,
          more,
          {kVtax, "workload", "server", "--bind", "127.0.0.1", "--token-file", kTokenFile},
          [=](std::uint64_t amount) {
            return joined(joined({kVtax, "workload"}, mode),
                          {"127.0.0.1", "--token-file", kTokenFile, amount_option, std::to_string(amount)});
          }};
}

void streams(const Bench& bench) {
  heading("MiB");
  const auto iperf3 = [](std::uint64_t mib, const Arguments& mode) {
    return Subject{"iperf3",
                   mib * kMiB,
                   4 * mib * kMiB,
                   {"/bin/iperf3", "-s", "-B", "127.0.0.1"},
                   [=](std::uint64_t bytes) {
                     return joined({"/bin/iperf3", "-c", "127.0.0.1", "-n", std::to_string(bytes)}, mode);
                   }};
  };
  const auto own = [](std::uint64_t mib, const Arguments& mode) {
    return vtax_pair(mode, "--bytes", mib * kMiB, 4 * mib * kMiB);
  };
  row(bench, "TCP, 128 KB writes", own(64, {"tcp-stream"}), iperf3(64, {}), kMiB);
  row(bench, "TCP, 1448-byte writes", own(8, {"tcp-stream", "--write", "1448"}),
      iperf3(8, {"-l", "1448", "-N"}), kMiB);
  row(bench, "UDP, 1448 bytes", own(8, {"udp-stream"}), iperf3(8, {"-u", "-b", "0", "-l", "1448"}), kMiB);
  const Subject iperf2{
      "iperf 2", 64 * kMiB, 256 * kMiB, {"/bin/iperf", "-s", "-B", "127.0.0.1"}, [](std::uint64_t bytes) {
        return Arguments{"/bin/iperf", "-c", "127.0.0.1", "-l", "128K", "-n", std::to_string(bytes)};
      }};
  row(bench, "TCP, 128 KB writes", own(64, {"tcp-stream"}), iperf2, kMiB);
}

void exchanges(const Bench& bench) {
  heading("transaction");
  for (const bool tcp : {true, false}) {
    const Arguments transport = tcp ? Arguments{"--tcp"} : Arguments{};
    const Subject sockperf{
        "sockperf",
        1,
        2,
        joined({"/bin/sockperf", "server", "-i", "127.0.0.1"}, transport),
        [=](std::uint64_t seconds) {
          return joined(
              {"/bin/sockperf", "ping-pong", "-i", "127.0.0.1", "-m", "14", "-t", std::to_string(seconds)},
              transport);
        },
        [](const std::string& out) { return number_in(out, "ReceivedMessages=([0-9]+)"); }};
    row(bench, tcp ? "TCP, 14 bytes" : "UDP, 14 bytes",
        vtax_pair({tcp ? "tcp-rr" : "udp-rr", "--request", "14", "--response", "14"}, "--transactions", 2000,
                  10000),
        sockperf);
  }
}

void web(const Bench& bench) {
  heading("request");
  const Arguments nginx = {"/bin/nginx", "-c", "/etc/nginx.conf"};
  const Arguments own = {kVtax,       "workload",  "http-server", "--port",  "8080", "--bind",
                         "127.0.0.1", "--threads", "1",           "--files", "/www"};
  for (const char* file : {"512", "5k"}) {
    const std::string url = fmt::format("http://127.0.0.1:8080/{}", file);
    const Subject client{"vtax",
                         500,
                         1000,
                         nginx,
                         [=](std::uint64_t milliseconds) {
                           return Arguments{kVtax,
                                            "workload",
                                            "http",
                                            url,
                                            "--closed",
                                            "16",
                                            "--keep-alive",
                                            "--warmup",
                                            "0",
                                            "--duration",
                                            fmt::format("{}ms", milliseconds),
                                            "--format",
                                            "json"};
                         },
                         [](const std::string& out) {
                           const auto json = nlohmann::json::parse(
                               out.substr(std::min(out.find('{'), out.size())), nullptr, false);
                           if (!json.is_object()) quit("no JSON: " + out);
                           return json["repeats"][0]["sides"][0]["work"]["transactions"].get<double>();
                         }};
    const auto wrk = [&](const char* name, const Arguments& server) {
      return Subject{name,
                     1,
                     2,
                     server,
                     [=](std::uint64_t seconds) {
                       return Arguments{"/bin/wrk", "-t1", "-c16", fmt::format("-d{}s", seconds), url};
                     },
                     [](const std::string& out) { return number_in(out, "([0-9]+) requests in"); }};
    };
    row(bench, fmt::format("{} bytes, nginx serves both", file), client, wrk("wrk", nginx));
    row(bench, fmt::format("{} bytes, wrk asks both", file), wrk("vtax", own), wrk("nginx", nginx));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "";
  auto cache = must(PackageCache::open());
  const TellStep say = [](std::string_view step) { fmt::print(stderr, "lab_peers: {}\n", step); };
  const Qemu qemu = must(fetch_qemu(cache, say));
  Sources sources;
  sources.agent = VTAX_BINARY;
  std::string pattern = (fs::temp_directory_path() / "vtax-lab-peers-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) quit("no temporary folder");
  const fs::path folder = pattern;
  {
    LabImage image =
        with_peers(must(build_lab_image(PlatformId::native, sources, cache, Apt(), say)), folder);
    const auto machine =
        must(LabMachine::prepare(std::move(image), sources.agent, qemu, must(find_probe(qemu))));
    SnapshotStore store(folder);
    if (auto booted = machine->boot(store, say); !booted) quit(booted.error().text());
    const Bench bench{*machine};
    if (wanted.empty() || wanted == "streams") streams(bench);
    if (wanted.empty() || wanted == "exchanges") exchanges(bench);
    if (wanted.empty() || wanted == "web") web(bench);
  }
  fs::remove_all(folder);
  return 0;
}
