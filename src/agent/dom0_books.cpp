#include "agent/dom0_books.h"

#include <chrono>
#include <numeric>

#include "agent/lab_layout.h"

namespace vtax::agent {
namespace {

std::uint64_t sum_of(const meter::CpuReading& reading, std::uint64_t meter::CpuTicks::*field) {
  std::uint64_t ticks = 0;
  for (const auto& [cpu, of] : reading.cpus) ticks += of.*field;
  return ticks;
}

std::uint64_t threads_of(const meter::CpuReading& reading) {
  std::uint64_t ns = 0;
  for (const auto& [id, thread] : reading.threads) ns += thread.run_ns;
  return ns;
}

}  // namespace

Result<> Dom0Books::read_proc(Reading& into) {
  auto proc = meter::read_cpu_time();
  if (!proc) return fail(proc.error());
  into.proc = std::move(*proc);
  return {};
}

Result<> Dom0Books::read_xen(Reading& into) const {
  std::vector<int> domains(static_cast<std::size_t>(guests_) + 1);
  std::iota(domains.begin(), domains.end(), 0);
  auto xen = meter::read_xen_times(domains);
  if (!xen) return fail(xen.error());
  into.xen = std::move(*xen);
  return {};
}

// Xen's next to the window: reading /proc takes much longer.
controller::WindowHooks Dom0Books::hooks() {
  return {[this] {
            Result<> done = read_proc(before_);
            return done ? read_xen(before_) : done;
          },
          [this] {
            Result<> done = read_xen(after_);
            return done ? read_proc(after_) : done;
          },
          [this](nlohmann::json& result) { describe(result); }};
}

void Dom0Books::describe(nlohmann::json& result) const {
  using meter::CpuTicks;
  nlohmann::json xen = nlohmann::json::array();
  for (std::size_t i = 0; i < after_.xen.size() && i < before_.xen.size(); ++i) {
    const meter::VirtualCpuTime& now = after_.xen[i];
    xen.push_back({{"domain", now.domain == 0 ? "Domain-0" : lab::guest_name(now.domain)},
                   {"virtual_cpu", now.virtual_cpu},
                   {"ns", now.ns - before_.xen[i].ns}});
  }
  nlohmann::json ticks = nlohmann::json::object();
  for (const auto& [name, field] : {std::pair{"user", &CpuTicks::user},
                                    {"nice", &CpuTicks::nice},
                                    {"system", &CpuTicks::system},
                                    {"irq", &CpuTicks::irq},
                                    {"softirq", &CpuTicks::softirq},
                                    {"steal", &CpuTicks::steal},
                                    {"idle", &CpuTicks::idle}})
    ticks[name] = (sum_of(after_.proc, field) - sum_of(before_.proc, field)) * meter::kTickNs;
  result["books"] = {{"span_ns", std::chrono::nanoseconds(after_.proc.at - before_.proc.at).count()},
                     {"xen", xen},
                     {"proc_stat_ns", ticks},
                     {"threads_ns", threads_of(after_.proc) - threads_of(before_.proc)}};
}

}  // namespace vtax::agent
