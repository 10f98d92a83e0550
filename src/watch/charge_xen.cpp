#include "watch/charge_rules.h"

namespace vtax::watch::rules {

Nanoseconds Charge::xen_busy(int domain, std::size_t virtual_cpu) const {
  if (!after_.xen || !before_.xen) return 0;
  const auto was = before_.xen->domains.find(domain), is = after_.xen->domains.find(domain);
  if (is == after_.xen->domains.end() || virtual_cpu >= is->second.virtual_cpus_ns.size()) return 0;
  const Nanoseconds now = is->second.virtual_cpus_ns[virtual_cpu];
  // A domain that came since has run since; so has one that has another's number.
  if (was == before_.xen->domains.end() || was->second.handle != is->second.handle)
    return std::min(now, span_);
  if (virtual_cpu >= was->second.virtual_cpus_ns.size()) return std::min(now, span_);
  return std::min(grown(was->second.virtual_cpus_ns[virtual_cpu], now), span_);
}

Nanoseconds Charge::domain_0_ns() const {
  const auto is = after_.xen->domains.find(0);
  Nanoseconds sum = 0;
  if (is != after_.xen->domains.end())
    for (std::size_t i = 0; i < is->second.virtual_cpus_ns.size(); ++i) sum += xen_busy(0, i);
  return sum;
}

void Charge::add_what_xen_counted() {
  for (auto& [cpu, sum] : cpus_)
    if (cpu != kAllCpus) sum.pool += grown(kept_[cpu].second, xen_busy(0, static_cast<std::size_t>(cpu)));
}

void Charge::charge_xen() {
  CpuSum all;
  for (const auto& [cpu, sum] : cpus_) {
    all.guests += sum.guests;
    all.caused += sum.caused;
    all.other.driver_ns += sum.other.driver_ns;
    all.other.uncharged_ns += sum.other.uncharged_ns;
    all.other.elsewhere_ns += sum.other.elsewhere_ns;
    all.other.vtax_ns += sum.other.vtax_ns;
  }
  Nanoseconds busy = all.caused + all.guests + all.other.driver_ns + all.other.uncharged_ns +
                     all.other.elsewhere_ns + all.other.vtax_ns;
  for (std::size_t i = 0; i < guests_.size(); ++i) {
    const auto domain = inventory_.guests[i].domain;
    const auto look = domain ? after_.xen->domains.find(*domain) : after_.xen->domains.end();
    if (look == after_.xen->domains.end()) continue;
    for (std::size_t v = 0; v < look->second.virtual_cpus_ns.size(); ++v) {
      const Nanoseconds ns = xen_busy(*domain, v);
      guests_[i].own += ns;
      guests_[i].virtual_cpus[static_cast<int>(v)] = ns;
      guests_[i].ran_on[static_cast<int>(v)] = {look->second.cpus[v], ns};
      all.guests += ns;
      busy += ns;
    }
  }
  // Domains that went between the looks have no counter any more: their time seems idle.
  const Nanoseconds capacity = span_ * static_cast<Nanoseconds>(std::max(after_.xen->physical_cpus, 1));
  all.other.idle_ns = grown(busy, capacity);
  cpus_.clear();
  cpus_[kAllCpus] = all;
}

}  // namespace vtax::watch::rules
