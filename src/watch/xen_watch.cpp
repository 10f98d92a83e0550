#include "watch/xen_watch.h"

#include <fmt/format.h>

#include "core/kernel_file.h"
#include "meter/kernel_text.h"

namespace vtax::watch {
namespace {

constexpr std::uint64_t kPage = 4096, kKibibyte = 1024;
// A question to xenstore takes some 20 microseconds and more: of many domains an eighth is asked each time.
constexpr std::size_t kFewDomains = 32, kTurnsOfMany = 8;

}  // namespace

Result<std::optional<XenWatch>> XenWatch::open(std::string& why_not) {
  const auto capabilities = read_kernel_file("/proc/xen/capabilities");
  if (!capabilities || capabilities->find("control_d") == std::string::npos) {
    const auto hypervisor = read_kernel_file("/sys/hypervisor/type");
    if (!capabilities && hypervisor && *hypervisor == "xen")
      why_not = "/proc/xen is not mounted, so that nothing says whether this is a Domain-0";
    return std::optional<XenWatch>{};
  }
  auto calls = meter::XenCalls::open();
  if (!calls) {
    why_not = calls.error().why;
    return std::optional<XenWatch>{};
  }
  if (const auto cpus = calls->physical_cpus(); !cpus) return fail(cpus.error());
  auto store = Xenstore::open();
  std::string why = store ? "" : store.error().why;
  XenWatch watch(std::move(*calls), store ? std::optional(std::move(*store)) : std::nullopt);
  watch.why_no_names_ = std::move(why);
  return std::optional(std::move(watch));
}

void XenWatch::ask_store(int domain, Known& known) {
  if (!store_) return;
  const auto ask = [&](const char* what) -> std::optional<std::string> {
    auto answer = store_->read(fmt::format("/local/domain/{}/{}", domain, what));
    return answer ? std::optional(std::move(*answer)) : std::nullopt;
  };
  const auto bytes = [&](const char* what) -> std::optional<std::uint64_t> {
    const auto text = ask(what);
    const auto number = text ? meter::whole_number<std::uint64_t>(*text) : std::nullopt;
    return number && *number < std::uint64_t{1} << 50 ? std::optional(*number * kKibibyte) : std::nullopt;
  };
  if (auto name = ask("name")) known.name = std::move(*name);
  known.most_bytes = bytes("memory/static-max");
  known.target_bytes = bytes("memory/target");
}

Result<XenWatch::Seen> XenWatch::read() {
  Seen seen;
  const auto cpus = calls_.physical_cpus();
  if (!cpus) return fail(cpus.error());
  seen.look.physical_cpus = *cpus;
  std::map<int, Known> known;
  const bool few = known_.size() <= kFewDomains;
  for (int number = 0;;) {
    const auto domain = calls_.domain_from(number);
    if (!domain) return fail(domain.error());
    if (!*domain) break;
    const meter::XenDomain& one = **domain;
    number = one.number + 1;
    XenDomainLook look;
    look.handle = one.handle;
    look.virtual_cpus_ns.resize(static_cast<std::size_t>(one.virtual_cpus));
    look.cpus.resize(static_cast<std::size_t>(one.virtual_cpus), -1);
    seen.look.domains[one.number] = std::move(look);
    if (one.number == 0) continue;
    if (one.dying && one.pages == 0) continue;
    auto before = known_.extract(one.number);
    const bool is_new = !before || before.mapped().handle != one.handle;
    Known& now = known[one.number];
    if (!is_new) now = std::move(before.mapped());
    now.handle = one.handle;
    if (is_new || now.name.empty() || few ||
        static_cast<std::size_t>(one.number) % kTurnsOfMany == reads_ % kTurnsOfMany)
      ask_store(one.number, now);
    seen.guests[one.number] = {now.name, one.handle};
    seen.paused[one.number] = one.paused;
    MemoryUse& memory = seen.memory[one.number];
    memory.used_bytes = one.pages * kPage;
    memory.given_bytes = now.most_bytes ? *now.most_bytes : one.most_pages * kPage;
    if (now.most_bytes && now.target_bytes)
      memory.balloon_bytes = *now.most_bytes - std::min(*now.most_bytes, *now.target_bytes);
  }
  known_ = std::move(known);
  ++reads_;
  return seen;
}

Result<> XenWatch::read_times(XenLook& look) {
  for (auto& [number, domain] : look.domains)
    for (std::size_t v = 0; v < domain.virtual_cpus_ns.size(); ++v) {
      const auto cpu = calls_.virtual_cpu(number, static_cast<int>(v));
      if (!cpu) return fail(cpu.error());
      if (!*cpu) continue;
      domain.virtual_cpus_ns[v] = (**cpu).busy_ns;
      domain.cpus[v] = (**cpu).cpu;
    }
  return {};
}

}  // namespace vtax::watch
