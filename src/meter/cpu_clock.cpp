#include "meter/cpu_clock.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "meter/bpf.h"
#include "meter/clock_programs.h"

namespace vtax::meter {
namespace {

constexpr std::uint32_t kMostClockKeys = 16384;
constexpr ino_t kFirstProcessNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO of Linux

ClockKey key_of(const ClockSumKey& key) {
  return {key.thread,
          key.process,
          static_cast<ClockMode>(key.mode),
          {key.came[0], key.came[1]},
          {key.left[0], key.left[1]},
          key.interrupt};
}

}  // namespace

Result<CpuClock> CpuClock::start() {
  struct stat own {};
  if (stat("/proc/self/ns/pid", &own) != 0 || own.st_ino != kFirstProcessNamespace)
    return fail(bpf::cannot(kClockPurpose, "this process namespace numbers its threads by itself"));
  CpuClock clock;
  clock.possible_cpus_ = bpf::count_possible_cpus();
  auto states = bpf::make_map(kClockPurpose, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(ClockState), 1);
  if (!states) return fail(states.error());
  clock.states_ = std::move(*states);
  auto control = bpf::make_map(kClockPurpose, BPF_MAP_TYPE_ARRAY, 4, 4, 1);
  if (!control) return fail(control.error());
  clock.control_ = std::move(*control);
  ClockMaps maps{clock.states_.get(), clock.control_.get(), {}};
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto sums = bpf::make_map(kClockPurpose, BPF_MAP_TYPE_PERCPU_HASH, sizeof(ClockSumKey), sizeof(ClockSum),
                              kMostClockKeys);
    if (!sums) return fail(sums.error());
    clock.sums_[epoch] = std::move(*sums);
    maps.sums[epoch] = clock.sums_[epoch].get();
  }
  auto code = clock_code(maps);
  if (!code) return fail(code.error());
  auto turn_over = bpf::load_program(kClockPurpose, code->turns_over);
  if (!turn_over) return fail(turn_over.error());
  clock.turn_over_ = std::move(*turn_over);
  const auto attach = [&](const TracepointCode& one) -> Result<> {
    auto program = bpf::load_program(kClockPurpose, one.code);
    if (!program) return fail(program.error());
    auto link = bpf::attach(kClockPurpose, one.tracepoint, program->get());
    if (!link) return fail(link.error());
    clock.programs_.push_back(std::move(*program));
    clock.links_.push_back(std::move(*link));
    return {};
  };
  for (const TracepointCode& one : code->host)
    if (auto done = attach(one); !done) return fail(done.error());
  // KVM may not be loaded.
  clock.sees_guests_ = std::all_of(code->guests.begin(), code->guests.end(),
                                   [&](const TracepointCode& one) { return attach(one).has_value(); });
  // What was counted while some of them were attached is thrown away.
  if (const auto first = clock.lap(); !first) return fail(first.error());
  return clock;
}

// ENXIO: a CPU that is offline.
Result<> CpuClock::turn_over(int cpu) const {
  bpf_attr attributes{};
  attributes.test.prog_fd = static_cast<std::uint32_t>(turn_over_.get());
  attributes.test.flags = BPF_F_TEST_RUN_ON_CPU;
  attributes.test.cpu = static_cast<std::uint32_t>(cpu);
  if (bpf::call_kernel(BPF_PROG_TEST_RUN, attributes) == 0 || errno == ENXIO) return {};
  return fail(bpf::cannot(kClockPurpose, std::string("BPF_PROG_TEST_RUN: ") + std::strerror(errno)));
}

Result<ClockLap> CpuClock::lap() {
  const std::uint32_t ended = epoch_;
  epoch_ = 1 - epoch_;
  std::uint32_t zero = 0;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(control_.get());
  attributes.key = reinterpret_cast<std::uint64_t>(&zero);
  attributes.value = reinterpret_cast<std::uint64_t>(&epoch_);
  if (bpf::call_kernel(BPF_MAP_UPDATE_ELEM, attributes) != 0)
    return fail(bpf::cannot(kClockPurpose, std::string("a BPF map: ") + std::strerror(errno)));
  for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu)
    if (auto done = turn_over(static_cast<int>(cpu)); !done) return fail(done.error());

  ClockLap lap;
  std::vector<ClockState> states(possible_cpus_);
  attributes = {};
  attributes.map_fd = static_cast<std::uint32_t>(states_.get());
  attributes.key = reinterpret_cast<std::uint64_t>(&zero);
  attributes.value = reinterpret_cast<std::uint64_t>(states.data());
  if (bpf::call_kernel(BPF_MAP_LOOKUP_ELEM, attributes) != 0)
    return fail(bpf::cannot(kClockPurpose, std::string("a BPF map: ") + std::strerror(errno)));
  // They turn in this order: the first one's time, and how far the others are behind it.
  std::uint64_t first = 0, behind = 0, cpus = 0;
  for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu) {
    const std::uint64_t turned = states[cpu].turned_ns,
                        before = std::exchange(turned_ns_[static_cast<int>(cpu)], turned);
    if (turned <= before) continue;
    if (before != 0) lap.span_ns[static_cast<int>(cpu)] = turned - before;
    if (cpus++ == 0) first = turned;
    behind += turned - std::min(first, turned);
  }
  // The kernel's time there is the steady clock's.
  if (cpus > 0)
    lap.at = std::chrono::steady_clock::time_point(std::chrono::nanoseconds(first + behind / cpus));

  constexpr std::uint32_t kAtOnce = 4096;
  std::vector<ClockSumKey> keys(kAtOnce);
  std::vector<ClockSum> values(kAtOnce * possible_cpus_);
  std::uint32_t place = 0;
  bool is_first = true;
  for (std::uint32_t seen = 0; seen < kMostClockKeys;) {
    attributes = {};
    attributes.batch.map_fd = static_cast<std::uint32_t>(sums_[ended].get());
    attributes.batch.in_batch = is_first ? 0 : reinterpret_cast<std::uint64_t>(&place);
    attributes.batch.out_batch = reinterpret_cast<std::uint64_t>(&place);
    attributes.batch.keys = reinterpret_cast<std::uint64_t>(keys.data());
    attributes.batch.values = reinterpret_cast<std::uint64_t>(values.data());
    attributes.batch.count = kAtOnce;
    const bool more = bpf::call_kernel(BPF_MAP_LOOKUP_AND_DELETE_BATCH, attributes) == 0;
    if (!more && errno != ENOENT)
      return fail(bpf::cannot(kClockPurpose, std::string("a BPF map: ") + std::strerror(errno)));
    for (std::uint32_t i = 0; i < attributes.batch.count; ++i)
      for (std::size_t cpu = 0; cpu < possible_cpus_; ++cpu)
        if (const ClockSum& sum = values[i * possible_cpus_ + cpu]; sum.ns > 0 || sum.segments > 0)
          lap.times.push_back({key_of(keys[i]), static_cast<int>(cpu), sum.ns, sum.segments});
    if (!more) break;
    seen += attributes.batch.count;
    is_first = false;
  }
  return lap;
}

}  // namespace vtax::meter
