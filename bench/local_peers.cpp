// The local workloads beside the programs that people use for the same: each pair runs alternately, so that
// what else happens on the machine meets both. Prints a table for docs/benchmarks.md.
//   local_peers [--pairs N] [--folder DIR] [--only WORD]
// The ratio is vtax / peer, pair by pair: its median and a confidence interval of the median (95 %, none
// below six pairs). Throughput: above 1 is better; CPU time for the same work, of the process and its
// children: below 1 is. OpenBLAS is loaded when it runs (libopenblas.so.0, or the file that VTAX_OPENBLAS
// names), with one thread.
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "core/subprocess.h"

namespace vtax {
namespace {

struct Measured {
  double rate = 0;      // whatever the unit: the same for both
  double cpu_each = 0;  // seconds of CPU time for a unit of work; 0 when it is not compared
};

using Run = std::function<std::optional<Measured>()>;

struct Pairing {
  std::string title, peer;
  Run ours, theirs;
};

struct Settings {
  int pairs = 7;
  std::string folder = "/var/tmp", only;
};

double children_cpu() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double own_cpu() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::optional<std::string> output_of(const std::vector<std::string>& arguments, bool error_stream = false) {
  Command command{arguments};
  command.environment = {"LC_ALL=C"};
  command.time_limit = std::chrono::minutes(3);
  const auto done = run_command(command);
  if (!done || !done->ok()) {
    std::cerr << "! " << arguments[0] << ": " << (done ? last_lines(done->err, 2) : done.error().text())
              << '\n';
    return std::nullopt;
  }
  return error_stream ? done->err : done->out;
}

nlohmann::json json_in(const std::string& text) {
  const std::size_t start = text.find('{');  // fio may say something first
  return start == std::string::npos ? nlohmann::json()
                                    : nlohmann::json::parse(text.substr(start), nullptr, false);
}

// vtax's first metric, or the one that is named; CPU time for a unit from its own report.
Run vtax_run(std::vector<std::string> arguments, const std::string& metric, bool per_byte) {
  std::vector<std::string> all{VTAX_BINARY, "workload"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  all.insert(all.end(), {"--format", "json"});
  return [=]() -> std::optional<Measured> {
    const auto out = output_of(all);
    if (!out) return std::nullopt;
    const auto side = json_in(*out).at("repeats").at(0).at("sides").at(0);
    Measured measured;
    for (const auto& one : side.at("metrics"))
      if (one.at("name") == metric) measured.rate = one.at("value");
    const auto& cpu = side.at("cpu");
    const double seconds = 1e-9 * (cpu.at("user_ns").get<double>() + cpu.at("system_ns").get<double>());
    const double work = side.at("work").at(per_byte ? "bytes" : "transactions");
    measured.cpu_each = work > 0 ? seconds / work : 0;
    return measured;
  };
}

Run fio_run(std::vector<std::string> arguments, const std::string& direction, bool operations) {
  std::vector<std::string> all{"fio", "--name=peer", "--output-format=json", "--randrepeat=1"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return [=]() -> std::optional<Measured> {
    const auto out = output_of(all);
    if (!out) return std::nullopt;
    const auto job = json_in(*out).at("jobs").at(0);
    const auto& side = job.at(direction);
    const double seconds = 1e-3 * job.at("job_runtime").get<double>();
    const double cpu = seconds * (job.at("usr_cpu").get<double>() + job.at("sys_cpu").get<double>()) / 100;
    const double work = operations ? side.at("total_ios") : side.at("io_bytes");
    return Measured{work / seconds, cpu / work};
  };
}

Run dd_run(std::vector<std::string> arguments, double bytes, const std::string& leftover) {
  std::vector<std::string> all{"dd"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return [=]() -> std::optional<Measured> {
    const double before = children_cpu();
    const auto start = std::chrono::steady_clock::now();
    const auto out = output_of(all, true);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double cpu = children_cpu() - before;
    if (!leftover.empty()) unlink(leftover.c_str());
    if (!out) return std::nullopt;
    return Measured{bytes / seconds, cpu / bytes};
  };
}

// All four kernels together, as stress-ng sums them up; its MB are of 2^20 bytes.
Run stress_ng_run() {
  return []() -> std::optional<Measured> {
    const double before = children_cpu();
    const auto out = output_of({"stress-ng", "--stream", "1", "--timeout", "6", "--metrics-brief"}, true);
    const double cpu = children_cpu() - before;
    const std::size_t at = out ? out->find("memory rate: ") : std::string::npos;
    if (at == std::string::npos) return std::nullopt;
    double read = 0, written = 0;
    if (std::sscanf(out->c_str() + at, "memory rate: %lf MB read/sec, %lf MB write/sec", &read, &written) !=
        2)
      return std::nullopt;
    const double rate = (read + written) * (1 << 20);
    return Measured{rate, cpu / (rate * 6)};
  };
}

// The same of vtax: everything that was moved over the whole span, not the best round.
Run memory_run() {
  return []() -> std::optional<Measured> {
    const auto out = output_of({VTAX_BINARY, "workload", "memory", "--rounds", "30", "--format", "json"});
    if (!out) return std::nullopt;
    const auto side = json_in(*out).at("repeats").at(0).at("sides").at(0);
    const double bytes = side.at("work").at("bytes");
    const auto& used = side.at("cpu");
    const double cpu = used.at("user_ns").get<double>() + used.at("system_ns").get<double>();
    return Measured{bytes / (1e-9 * side.at("duration_ns").get<double>()), 1e-9 * cpu / bytes};
  };
}

// One thread; the same matrices as vtax in kind and size.
template <class Real>
Run openblas_run(const char* symbol, int n, double least_seconds) {
  using Solve = void (*)(const int*, const int*, Real*, const int*, int*, Real*, const int*, int*);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  const char* const given = std::getenv("VTAX_OPENBLAS");
  void* const library = dlopen(given != nullptr ? given : "libopenblas.so.0", RTLD_NOW);
  void* const found = library == nullptr ? nullptr : dlsym(library, symbol);
  if (found == nullptr) return {};
  return [=]() -> std::optional<Measured> {
    const auto solve = reinterpret_cast<Solve>(found);
    const auto size = static_cast<std::size_t>(n);
    std::vector<Real> a(size * size), b(size), factors, x;
    std::vector<int> pivots(size);
    std::uint64_t state = 1;
    for (Real& value : a) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      value = static_cast<Real>(static_cast<double>(state >> 11) * 0x1p-53 - 0.5);
    }
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) b[i] += a[j * size + i];
    double seconds = 0, cpu = 0, systems = 0;
    while (seconds < least_seconds) {
      factors = a;
      x = b;
      const int one = 1;
      int wrong = 0;
      const double cpu_before = own_cpu();
      const auto start = std::chrono::steady_clock::now();
      solve(&n, &one, factors.data(), &n, pivots.data(), x.data(), &n, &wrong);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      cpu += own_cpu() - cpu_before;
      if (wrong != 0) return std::nullopt;
      systems += 1;
    }
    const double operations = 2.0 / 3 * n * n * n + 2.0 * n * n;
    // vtax's CPU time has copying the matrix and judging the result in it, this has not.
    return Measured{systems * operations / seconds, cpu / systems};
  };
}

bool have(const char* program) {
  return output_of({"sh", "-c", fmt::format("command -v {} >/dev/null", program)}).has_value();
}

std::vector<Pairing> linpack_pairings() {
  std::vector<Pairing> all;
  const auto ours = [](const char* precision, int n) {
    return vtax_run({"linpack", "--size", std::to_string(n), "--precision", precision, "--duration", "1s"},
                    "rate", false);
  };
  for (const int n : {100, 1000, 3000}) {
    all.push_back({fmt::format("linpack single {}", n), "OpenBLAS sgesv", ours("single", n),
                   openblas_run<float>("sgesv_", n, 0.8)});
    all.push_back({fmt::format("linpack double {}", n), "OpenBLAS dgesv", ours("double", n),
                   openblas_run<double>("dgesv_", n, 0.8)});
  }
  return all;
}

std::vector<Pairing> disk_pairings(const Settings& settings) {
  const std::string own = settings.folder + "/vtax-peers-own", other = settings.folder + "/vtax-peers-other";
  const auto ours = [&](std::vector<std::string> more, bool operations) {
    std::vector<std::string> all{"disk", "--file", own};
    all.insert(all.end(), more.begin(), more.end());
    return vtax_run(all, operations ? "iops" : "throughput", !operations);
  };
  const auto fio = [&](std::vector<std::string> more, const char* direction, bool operations) {
    more.insert(more.end(), {"--filename=" + other, "--unlink=1"});
    return fio_run(more, direction, operations);
  };
  const double bytes = 128 << 20;
  const auto dd = [&](const std::string& block, std::uint64_t count) {
    return dd_run(
        {"if=/dev/zero", "of=" + other, "bs=" + block, "count=" + std::to_string(count), "conv=fdatasync"},
        bytes, other);
  };
  // dd reads a file that is made and dropped before its clock starts.
  const auto dd_read = [&](const std::string& block) {
    const Run run = dd_run({"if=" + other, "of=/dev/null", "bs=" + block}, bytes, other);
    return [=]() -> std::optional<Measured> {
      if (!output_of({"dd", "if=/dev/urandom", "of=" + other, "bs=1M", "count=128", "conv=fdatasync"}, true))
        return std::nullopt;
      (void)output_of({"dd", "if=" + other, "iflag=nocache", "count=0"}, true);
      return run();
    };
  };
  std::vector<Pairing> all;
  for (const char* block : {"512", "64K"}) {
    const std::uint64_t count = std::string_view(block) == "512" ? 262144 : 2048;
    const std::string size = fmt::format("--bs={}", block);
    all.push_back({fmt::format("disk write, {}", block), "dd",
                   ours({"--block", block, "--operation", "write"}, false), dd(block, count)});
    all.push_back(
        {fmt::format("disk write, {}", block), "fio psync",
         ours({"--block", block, "--operation", "write"}, false),
         fio({"--rw=write", size, "--size=128m", "--ioengine=psync", "--end_fsync=1"}, "write", false)});
    all.push_back(
        {fmt::format("disk read, {}", block), "dd", ours({"--block", block}, false), dd_read(block)});
    all.push_back({fmt::format("disk read, {}", block), "fio psync", ours({"--block", block}, false),
                   fio({"--rw=read", size, "--size=128m", "--ioengine=psync"}, "read", false)});
  }
  for (const char* operation : {"read", "write"}) {
    for (const char* depth : {"1", "32"}) {
      const bool one = std::string_view(depth) == "1";
      all.push_back({fmt::format("disk random {} 4K direct, depth {}", operation, depth),
                     one ? "fio psync" : "fio io_uring",
                     ours({"--block", "4K", "--pattern", "random", "--operation", operation, "--direct",
                           "--depth", depth, "--duration", "2s"},
                          true),
                     fio({fmt::format("--rw=rand{}", operation), "--bs=4k", "--size=128m", "--direct=1",
                          one ? "--ioengine=psync" : "--ioengine=io_uring",
                          fmt::format("--iodepth={}", depth), "--time_based", "--runtime=2", "--end_fsync=1"},
                         operation, true)});
    }
  }
  return all;
}

std::string ratio_text(const std::vector<double>& ratios) {
  if (ratios.empty()) return "-";
  const auto interval = median_interval(ratios);
  return interval ? fmt::format("{:.2f} ({:.2f} to {:.2f})", *median(ratios), interval->low, interval->high)
                  : fmt::format("{:.2f}", *median(ratios));
}

void compare(const Pairing& pairing, int pairs) {
  if (!pairing.theirs) {
    std::cout << fmt::format("| {} | {} | missing here | | |\n", pairing.title, pairing.peer) << std::flush;
    return;
  }
  std::vector<double> rates, costs, own, others;
  for (int i = 0; i < pairs; ++i) {
    // Whoever is first alternates too.
    const auto first = i % 2 == 0 ? pairing.ours() : pairing.theirs();
    const auto second = i % 2 == 0 ? pairing.theirs() : pairing.ours();
    if (!first || !second) continue;
    const Measured& a = i % 2 == 0 ? *first : *second;
    const Measured& b = i % 2 == 0 ? *second : *first;
    rates.push_back(a.rate / b.rate);
    own.push_back(a.rate);
    others.push_back(b.rate);
    if (a.cpu_each > 0 && b.cpu_each > 0) costs.push_back(a.cpu_each / b.cpu_each);
  }
  if (rates.empty()) {
    std::cout << fmt::format("| {} | {} | failed here | | |\n", pairing.title, pairing.peer) << std::flush;
    return;
  }
  std::cout << fmt::format("| {} | {} | {:.4g} / {:.4g} | {} | {} |\n", pairing.title, pairing.peer,
                           *median(own), *median(others), ratio_text(rates), ratio_text(costs))
            << std::flush;
}

int compare_all(const Settings& settings) {
  std::vector<Pairing> all;
  all.push_back({"memory, four kernels", "stress-ng --stream", memory_run(),
                 have("stress-ng") ? stress_ng_run() : Run()});
  for (Pairing& one : linpack_pairings()) all.push_back(std::move(one));
  const bool fio = have("fio");
  for (Pairing& one : disk_pairings(settings)) {
    if (one.peer.starts_with("fio") && !fio) one.theirs = {};
    all.push_back(std::move(one));
  }
  std::cout << "| what | peer | vtax / peer, medians | ratio (95 %) | CPU for the same work "
               "|\n|---|---|---|---|---|\n";
  for (const Pairing& one : all)
    if (settings.only.empty() || one.title.find(settings.only) != std::string::npos)
      compare(one, settings.pairs);
  return 0;
}

}  // namespace
}  // namespace vtax

int main(int argc, char** argv) {
  vtax::Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i], value = argv[i + 1];
    if (option == "--pairs") std::from_chars(value.data(), value.data() + value.size(), settings.pairs);
    if (option == "--folder") settings.folder = value;
    if (option == "--only") settings.only = value;
  }
  return vtax::compare_all(settings);
}
