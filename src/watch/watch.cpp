#include "watch/watch.h"

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/files.h"
#include "meter/cpu_reading.h"

namespace vtax::watch {

// What was seen at one moment.
struct StatLook {
  std::map<int, meter::CpuTicks> cpus;
  std::uint64_t own_ns = 0;
  std::chrono::steady_clock::time_point at;
};

namespace {

std::uint64_t busy(const meter::CpuTicks& t) {
  return (t.user + t.nice + t.system + t.irq + t.softirq) * meter::tick_ns;
}

std::uint64_t since(std::uint64_t now, std::uint64_t before) {
  return now > before ? now - before : 0;
}

Result<StatLook> look() {
  auto text = read_text("/proc/stat");
  if (!text) return fail(text.error());
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  const auto ns = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(t.tv_usec) * 1000;
  };
  return StatLook{meter::parse_proc_stat(*text), ns(own.ru_utime) + ns(own.ru_stime),
                  std::chrono::steady_clock::now()};
}

}  // namespace

// The whole computer alone, by the kernel's ticks.
class Watch::Looks {
 public:
  StatLook last;
  std::uint64_t number = 0;
};

Watch::Watch(std::unique_ptr<Looks> looks) : looks_(std::move(looks)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

Result<Watch> Watch::start(const WatchOptions&) {
  auto first = look();
  if (!first) return fail(first.error());
  return Watch(std::make_unique<Looks>(Looks{std::move(*first), 0}));
}

Result<Reading> Watch::read() {
  auto now = look();
  if (!now) return fail(now.error());
  Reading out;
  out.at = std::chrono::system_clock::now();
  out.interval = now->at - looks_->last.at;
  out.number = ++looks_->number;
  out.driver = "host";
  out.missing = {"Guests are not looked for."};
  std::uint64_t own = since(now->own_ns, looks_->last.own_ns);
  for (const auto& [number, t] : now->cpus) {
    const auto& b = looks_->last.cpus[number];
    CpuUse cpu;
    cpu.number = number;
    cpu.other.idle_ns = since(t.idle + t.iowait, b.idle + b.iowait) * meter::tick_ns;
    cpu.other.stolen_ns = since(t.steal, b.steal) * meter::tick_ns;
    const std::uint64_t used = since(busy(t), busy(b));
    cpu.other.vtax_ns = std::min(own, used);
    own -= cpu.other.vtax_ns;
    cpu.other.elsewhere_ns = used - cpu.other.vtax_ns;
    out.other.idle_ns += cpu.other.idle_ns;
    out.other.stolen_ns += cpu.other.stolen_ns;
    out.other.vtax_ns += cpu.other.vtax_ns;
    out.other.elsewhere_ns += cpu.other.elsewhere_ns;
    out.cpus.push_back(cpu);
  }
  out.all_cpus_ns = out.other.total();
  looks_->last = std::move(*now);
  return out;
}

}  // namespace vtax::watch
