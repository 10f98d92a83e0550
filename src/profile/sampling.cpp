#include "profile/sampling.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "core/files.h"
#include "meter/cpu_reading.h"

namespace vtax::profile {
namespace {

// A ring holds what a drain's interval brings at 5,000 Hz with the longest stacks.
constexpr std::size_t kRingPages = 128;

perf_event_attr attributes_of(const SamplingOptions& options) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = options.event == Event::cpu_clock ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;
  if (options.event == Event::cpu_clock)
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  else if (options.event == Event::cycles)
    attributes.config = PERF_COUNT_HW_CPU_CYCLES;
  else
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.sample_period = options.period;
  attributes.sample_type = sample_type();
  attributes.sample_max_stack = kLongestStack;
  attributes.sample_id_all = 1;
  attributes.disabled = 1;
  attributes.mmap = attributes.mmap2 = attributes.comm = attributes.comm_exec = attributes.task = 1;
  return attributes;
}

int open_event(perf_event_attr& attributes, int process, int cpu) {
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, process, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

std::chrono::nanoseconds thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Error cannot_sample(const SamplingOptions& options, int reason) {
  const std::string what = fmt::format("cannot sample this computer by {}", name(options.event));
  if (reason == EACCES || reason == EPERM) {
    const auto paranoid = read_text("/proc/sys/kernel/perf_event_paranoid", 64);
    const std::string level = paranoid ? paranoid->substr(0, paranoid->find('\n')) : "not readable";
    return {
        what,
        fmt::format("the kernel lets only root sample all CPUs (kernel.perf_event_paranoid is {})", level),
        "be root, have the capability CAP_PERFMON, or set `sysctl kernel.perf_event_paranoid=0`; in a "
        "container its runtime has to allow perf_event_open",
        ExitCode::unavailable};
  }
  if (reason == ENOENT || reason == EOPNOTSUPP || reason == ENODEV)
    return {what, "this computer shows no such hardware counter, as most virtual ones do",
            "--event cpu-clock is there always", ExitCode::unavailable};
  Error error = system_error(what, reason);
  error.code = ExitCode::unavailable;
  return error;
}

}  // namespace

std::string_view name(Event event) {
  return event == Event::cpu_clock ? "cpu-clock" : event == Event::cycles ? "cycles" : "instructions";
}

std::optional<Event> event_named(std::string_view text) {
  for (const Event event : {Event::cpu_clock, Event::cycles, Event::instructions})
    if (name(event) == text) return event;
  return std::nullopt;
}

Result<Sampling> Sampling::open(const SamplingOptions& options) {
  const auto cpus = meter::read_cpu_ticks();
  if (!cpus) return fail(cpus.error());
  Sampling sampling;
  perf_event_attr attributes = attributes_of(options);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const auto& [cpu, ticks] : *cpus) {
    Ring ring;
    ring.event = Descriptor(open_event(attributes, -1, cpu));
    if (!ring.event.valid()) return fail(cannot_sample(options, errno));
    ring.bytes = kRingPages * page;
    void* pages = mmap(nullptr, ring.bytes + page, PROT_READ | PROT_WRITE, MAP_SHARED, ring.event.get(), 0);
    if (pages == MAP_FAILED) return fail(cannot_sample(options, errno));
    ring.pages = pages;
    sampling.rings_.push_back(std::move(ring));
  }
  return sampling;
}

Sampling::~Sampling() {
  for (const Ring& ring : rings_)
    if (ring.pages != nullptr)
      munmap(ring.pages, ring.bytes + static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
}

Result<> Sampling::start() {
  for (const Ring& ring : rings_)
    if (ioctl(ring.event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0)
      return fail(system_error("cannot begin to sample", errno));
  return {};
}

void Sampling::stop() {
  for (const Ring& ring : rings_) ioctl(ring.event.get(), PERF_EVENT_IOC_DISABLE, 0);
}

void Sampling::drain(const Ring& ring, std::vector<Record>& into) {
  auto* control = static_cast<perf_event_mmap_page*>(ring.pages);
  const auto* data = static_cast<const std::uint8_t*>(ring.pages) + sysconf(_SC_PAGESIZE);
  const std::uint64_t head = std::atomic_ref(control->data_head).load(std::memory_order_acquire);
  std::uint64_t tail = control->data_tail;
  std::vector<std::uint8_t> bytes;
  const auto copy = [&](std::uint64_t size) {
    bytes.resize(size);
    for (std::uint64_t i = 0; i < size; ++i) bytes[i] = data[(tail + i) % ring.bytes];
  };
  while (head - tail >= sizeof(perf_event_header)) {
    copy(sizeof(perf_event_header));
    const auto size = load<std::uint16_t>(bytes, 6);
    if (size < sizeof(perf_event_header) || size > head - tail) break;
    copy(size);
    if (auto record = parse_record(bytes)) into.push_back(std::move(*record));
    tail += size;
  }
  std::atomic_ref(control->data_tail).store(head, std::memory_order_release);
}

std::vector<Record> Sampling::drain() {
  std::vector<Record> records;
  for (const Ring& ring : rings_) drain(ring, records);
  std::stable_sort(records.begin(), records.end(),
                   [](const Record& a, const Record& b) { return a.time_ns < b.time_ns; });
  return records;
}

Result<std::chrono::nanoseconds> cost_of_a_sample() {
  constexpr std::chrono::nanoseconds kLeast = std::chrono::microseconds(1);
  // Several times what a sample may cost, for else the timer leaves some out.
  constexpr std::uint64_t kPeriod = 200'000;
  const SamplingOptions options{Event::cpu_clock, kPeriod};
  perf_event_attr attributes = attributes_of(options);
  const Descriptor event(open_event(attributes, 0, -1));
  if (!event.valid()) return fail(cannot_sample(options, errno));
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* pages = mmap(nullptr, (kRingPages + 1) * page, PROT_READ | PROT_WRITE, MAP_SHARED, event.get(), 0);
  if (pages == MAP_FAILED) return fail(cannot_sample(options, errno));
  // CPU time, which nobody's turns on this CPU are in.
  const auto spin = [] {
    const auto begun = thread_time();
    std::atomic<int> turns = 0;
    while (turns.fetch_add(1, std::memory_order_relaxed) < 1'500'000) {
    }
    return thread_time() - begun;
  };
  // The shortest of several is that which nobody disturbed.
  auto without = std::chrono::nanoseconds::max(), with = without;
  for (int i = 0; i < 6; ++i) {
    without = std::min(without, spin());
    ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0);
    with = std::min(with, spin());
    ioctl(event.get(), PERF_EVENT_IOC_DISABLE, 0);
  }
  munmap(pages, (kRingPages + 1) * page);
  const auto samples = std::max<std::int64_t>(with.count() / static_cast<std::int64_t>(kPeriod), 1);
  return std::max<std::chrono::nanoseconds>(kLeast, (with - without) / samples);
}

}  // namespace vtax::profile
