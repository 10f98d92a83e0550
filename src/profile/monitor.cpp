#include "profile/monitor.h"

#include <fmt/format.h>
#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cmath>

#include "core/interruption.h"

namespace vtax::profile {
namespace {

// No CPU counts more in a second: 6 GHz, four instructions a cycle.
constexpr double kMostCycles = 6e9, kMostInstructions = 4 * kMostCycles;

double hertz_of(Event event) {
  return event == Event::cpu_clock ? 1e9 : event == Event::cycles ? kMostCycles : kMostInstructions;
}

std::chrono::nanoseconds process_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool is_softirq(const Function& function) {
  return function.image == "vmlinux" &&
         (function.name == "handle_softirqs" || function.name == "__do_softirq" ||
          function.name == "__softirqentry_text_start");
}

}  // namespace

Result<Settled> settle(const MonitorOptions& options, std::chrono::nanoseconds sample_cost,
                       double cpu_hertz) {
  const double most_per_second = options.most_cost * 1e9 / static_cast<double>(sample_cost.count());
  if (options.event == Event::cpu_clock) {
    const auto asked = static_cast<double>(options.hz);
    if (asked <= most_per_second) return Settled{static_cast<std::uint64_t>(std::llround(1e9 / asked)), ""};
    const double lowered = std::max(1.0, std::floor(most_per_second));
    return Settled{static_cast<std::uint64_t>(std::llround(1e9 / lowered)),
                   fmt::format("{} Hz was lowered to {:.0f} Hz: a sample costs {:.1f} us here, and {:g} % of "
                               "a CPU is what sampling may take (--most-cost).",
                               options.hz, lowered, static_cast<double>(sample_cost.count()) / 1e3,
                               100 * options.most_cost)};
  }
  const double per_second = cpu_hertz / static_cast<double>(options.period);
  if (per_second <= most_per_second) return Settled{options.period, ""};
  return fail(
      {fmt::format("cannot sample every {} {}", options.period, name(options.event)),
       fmt::format("it may be {:.0f} samples a second on each CPU, of {:.1f} us each: more than {:g} "
                   "% of a CPU",
                   per_second, static_cast<double>(sample_cost.count()) / 1e3, 100 * options.most_cost),
       fmt::format("--period {:.0f} and above keep to it, or allow more by --most-cost",
                   std::ceil(cpu_hertz / most_per_second))});
}

std::uint64_t most_samples(Event event, std::uint64_t period, std::size_t cpus,
                           std::chrono::nanoseconds duration) {
  const double each = std::chrono::duration<double>(duration).count() * hertz_of(event) /
                      static_cast<double>(std::max<std::uint64_t>(period, 1));
  return static_cast<std::uint64_t>(std::min(static_cast<double>(cpus) * (each + 2), 1e15));
}

Result<Monitor> Monitor::open(const MonitorOptions& options) {
  const auto cost = cost_of_a_sample();
  if (!cost) return fail(cost.error());
  const auto settled = settle(options, *cost, hertz_of(options.event));
  if (!settled) return fail(settled.error());
  auto sampling = Sampling::open({options.event, settled->period});
  if (!sampling) return fail(sampling.error());
  Monitor monitor(std::move(*sampling), options);
  monitor.made_.event = options.event;
  monitor.made_.period = settled->period;
  monitor.made_.sample_cost = *cost;
  monitor.made_.cpus = monitor.sampling_.cpus();
  if (!settled->note.empty()) monitor.made_.notes.push_back(settled->note);
  monitor.kernel_ = KernelNames::read();
  if (monitor.kernel_.hidden())
    monitor.made_.notes.emplace_back(
        "The kernel's functions have no names: /proc/kallsyms hides their addresses; root sees them, with "
        "`sysctl kernel.kptr_restrict=0` or 1.");
  return monitor;
}

Result<> Monitor::start() {
  made_.own_time = process_time();
  begun_ = std::chrono::steady_clock::now();
  return sampling_.start();
}

void Monitor::run() {
  const auto end = begun_ + options_.duration;
  while (!interrupted()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) break;
    constexpr std::int64_t kBetweenDrains = 50;
    pollfd waiting{interruption_fd(), POLLIN, 0};
    poll(&waiting, 1, static_cast<int>(std::min(left, kBetweenDrains)));
    if (std::chrono::steady_clock::now() < end) collect();
  }
  sampling_.stop();
  made_.duration = std::chrono::steady_clock::now() - begun_;
}

MonitorProfile Monitor::finish() {
  collect();
  made_.own_time = process_time() - made_.own_time;
  made_.build_ids = images_.build_ids();
  made_.parents = images_.parents();
  if (made_.lost > 0)
    made_.notes.push_back(fmt::format(
        "{} records were lost: the computer had no time to hand them over; a lower --hz loses none.",
        made_.lost));
  if (throttled_ > 0)
    made_.notes.push_back(
        fmt::format("The kernel held back sampling {} times, as it took too much time "
                    "(kernel.perf_cpu_time_max_percent).",
                    throttled_));
  if (!images_.unread().empty())
    made_.notes.push_back(fmt::format("{} programs or libraries could not be read, {} among them.",
                                      images_.unread().size(), *images_.unread().begin()));
  return std::move(made_);
}

void Monitor::collect() {
  for (const Record& record : sampling_.drain()) {
    if (const auto* sample = std::get_if<Sample>(&record.what)) take(*sample);
    if (const auto* mapped = std::get_if<Mapped>(&record.what)) images_.take(*mapped);
    if (const auto* named = std::get_if<Named>(&record.what)) images_.take(*named);
    if (const auto* forked = std::get_if<Forked>(&record.what)) images_.take(*forked);
    if (const auto* lost = std::get_if<Lost>(&record.what)) made_.lost += lost->records;
    if (std::holds_alternative<Throttled>(record.what)) ++throttled_;
  }
}

void Monitor::take(const Sample& sample) {
  bool in_softirq = false;
  std::vector<std::uint32_t> frames;
  for (std::size_t i = 0; i < sample.stack.size(); ++i) {
    CodeAddress at = sample.stack[i];
    if (i > 0) --at.address;  // the call, not what follows it
    switch (at.mode) {
      case Mode::kernel: {
        const KernelFrame& known = kernel_frame(at.address);
        in_softirq = in_softirq || known.is_softirq;
        frames.push_back(known.frame);
        break;
      }
      case Mode::user:
        frames.push_back(frame(images_.at(sample.process, at.address)));
        break;
      case Mode::hypervisor:
        frames.push_back(frame({"hypervisor", std::string(kUnknownFunction)}));
        break;
      case Mode::guest_kernel:
      case Mode::guest_user:
        frames.push_back(frame({"guest", std::string(kUnknownFunction)}));
        break;
    }
  }
  const Mode mode = sample.stack.front().mode;
  const auto [place, is_new] =
      rows_.try_emplace({sample.process, sample.thread, mode, frames}, made_.rows.size());
  if (is_new) {
    Row row;
    row.process = sample.process;
    row.thread = sample.thread;
    row.name = images_.name_of(sample.process);
    row.mode = mode;
    row.in_softirq = in_softirq;
    row.idle = sample.process == 0 && mode == Mode::kernel && !in_softirq;
    row.frames = std::move(frames);
    made_.rows.push_back(std::move(row));
  }
  ++made_.rows[place->second].samples;
  ++made_.samples;
}

// The same few thousand addresses come again and again.
const Monitor::KernelFrame& Monitor::kernel_frame(std::uint64_t address) {
  const auto [place, is_new] = kernel_frames_.try_emplace(address);
  if (is_new) {
    const Function function = kernel_.at(address);
    place->second = {frame(function), is_softirq(function)};
  }
  return place->second;
}

std::uint32_t Monitor::frame(const Function& function) {
  const auto [place, is_new] =
      frames_.try_emplace({function.image, function.name}, static_cast<std::uint32_t>(made_.frames.size()));
  if (is_new) made_.frames.push_back(function);
  return place->second;
}

}  // namespace vtax::profile
