// What the probe costs: the same trial from the same snapshot with and without it, in turn, on one CPU each.
//   build/release/probe_overhead [PAIRS]
// Prints the CPU time that the emulator took in each and the ratio of each pair, with the median. CPU time,
// since the emulator is one busy thread, and what else the computer does stretches its wall time.

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "machine/lab/lab_machine.h"
#include "machine/parts/lab_parts.h"

namespace {

using namespace vtax;
using namespace vtax::lab;

struct Case {
  const char* platform;
  std::uint64_t bytes;
};

void quit(const Error& error) {
  fmt::print(stderr, "probe_overhead: {}\n", error.text());
  std::exit(static_cast<int>(error.code));
}

// Of the processes that this one has waited for: the emulators that have ended.
double emulators_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double seconds_of(const LabMachine& machine, const Case& measured) {
  Trial trial;
  trial.factors = {{"platform", measured.platform},
                   {"topology", "card"},
                   {"workload", "tcp-stream"},
                   {"direction", "receive"},
                   {"offloads", "off"},
                   {"write_bytes", "65536"},
                   {"warmup_bytes", "1048576"},
                   {"bytes", std::to_string(measured.bytes)}};
  const double before = emulators_cpu_seconds();
  if (auto done = machine.run(trial, [](std::string_view) {}); !done) quit(done.error());
  return emulators_cpu_seconds() - before;
}

void measure(const Case& measured, int pairs) {
  auto cache = PackageCache::open();
  if (!cache) quit(cache.error());
  const TellStep quiet = [](std::string_view) {};
  auto qemu = fetch_qemu(*cache, quiet);
  if (!qemu) quit(qemu.error());
  auto probe = find_probe(*qemu);
  if (!probe) quit(probe.error());
  Sources sources;
  sources.agent = VTAX_BINARY;
  auto image = build_lab_image(lab_machine_of(measured.platform), sources, *cache, Apt(), quiet);
  if (!image) quit(image.error());
  SnapshotStore store(cache->directory() / "machines");
  auto with = LabMachine::prepare(*image, sources.agent, *qemu, *probe);
  auto without = LabMachine::prepare(*image, sources.agent, *qemu, {});
  if (!with) quit(with.error());
  if (!without) quit(without.error());
  for (LabMachine* machine : {with->get(), without->get()})
    if (auto booted = machine->boot(store, quiet); !booted) quit(booted.error());

  std::vector<double> ratios;
  fmt::print("{}, {} MiB received over a card, offloads off\n", measured.platform, measured.bytes >> 20);
  for (int i = 0; i < pairs; ++i) {
    const double plain = seconds_of(**without, measured);
    const double probed = seconds_of(**with, measured);
    ratios.push_back(probed / plain);
    fmt::print("  without {:6.2f} s   with {:6.2f} s   ratio {:.3f}\n", plain, probed, ratios.back());
  }
  std::sort(ratios.begin(), ratios.end());
  fmt::print("  median ratio {:.3f}, {:.3f} to {:.3f}\n", ratios[ratios.size() / 2], ratios.front(),
             ratios.back());
}

}  // namespace

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
  measure({"native", 64U << 20}, pairs);
  measure({"xen-pv", 32U << 20}, pairs);
}
