#include "watch/charge_rules.h"

#include "account/charging.h"

namespace vtax::watch::rules {
namespace {

constexpr const char* kByTold = "driver time that was told apart on the same CPU";
constexpr const char* kByPackets = "packets";
constexpr const char* kByOwnTime = "own time of those that share a network";
constexpr const char* kByEquations = "packets (equations 4.6 and 4.7)";

}  // namespace

Charge::Charge(const Look& before, const Look& after, const Inventory& inventory, ChargeBy by)
    : before_(before), after_(after), inventory_(inventory), by_(by), guests_(inventory.guests.size()) {
  const auto span = std::chrono::duration_cast<std::chrono::nanoseconds>(after.at - before.at).count();
  span_ = static_cast<Nanoseconds>(std::max<std::int64_t>(span, 1));
  for (const KnownGuest& guest : inventory.guests) {
    looks_before_.push_back(look_of(before, guest));
    looks_after_.push_back(look_of(after, guest));
  }
  for (std::size_t i = 0; i < guests_.size(); ++i) packets_.push_back(packets_of(i));
}

Reading Charge::reading() {
  if (after_.lap)
    charge_lap();
  else
    charge_threads();
  if (after_.xen) add_what_xen_counted();
  share_pool();
  if (after_.xen) charge_xen();
  if (by_ == ChargeBy::packets) charge_all_by_packets();
  return describe();
}

const GuestLook* Charge::look_of(const Look& look, const KnownGuest& guest) {
  const auto found = look.guests.find(guest.identity);
  return found == look.guests.end() ? nullptr : &found->second;
}

std::uint64_t Charge::packets_of(std::size_t i) const {
  const GuestLook *was = looks_before_[i], *is = looks_after_[i];
  if (was == nullptr || is == nullptr || !was->network || !is->network) return 0;
  return grown(was->network->received_packets, is->network->received_packets) +
         grown(was->network->sent_packets, is->network->sent_packets);
}

void Charge::share_pool() {
  for (const auto& [owners, ns] : of_several_) {
    std::vector<Nanoseconds> weights;
    for (const std::size_t owner : owners) weights.push_back(guests_[owner].own);
    if (sum_of(weights) == 0) weights.assign(owners.size(), 1);
    const auto parts = divide(ns, weights);
    for (std::size_t k = 0; k < owners.size(); ++k) guests_[owners[k]].shared += parts[k];
    rules_.push_back(kByOwnTime);
  }
  for (auto& [cpu, sum] : cpus_) share_pool_of(sum);
  std::sort(rules_.begin(), rules_.end());
  rules_.erase(std::unique(rules_.begin(), rules_.end()), rules_.end());
}

void Charge::share_pool_of(CpuSum& sum) {
  if (sum.pool == 0) return;
  std::vector<Nanoseconds> weights(guests_.size());
  for (const auto& [guest, ns] : sum.told) weights[guest] = ns;
  const char* rule = kByTold;
  if (sum_of(weights) == 0 && !after_.lap) {
    weights = packets_;
    rule = kByPackets;
  }
  if (sum_of(weights) > 0) {
    weights.push_back(rule == kByTold ? sum.own_packets : 0);
    const auto parts = divide(sum.pool, weights);
    for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i].shared += parts[i];
    sum.caused += sum.pool - parts.back();
    sum.other.driver_ns += parts.back();
    rules_.emplace_back(rule);
  } else {
    sum.other.driver_ns += sum.pool;
  }
  sum.pool = 0;
}

void Charge::charge_all_by_packets() {
  Nanoseconds driver = 0;
  for (auto& [cpu, sum] : cpus_) {
    sum.caused += sum.other.driver_ns + sum.other.uncharged_ns;
    sum.other.driver_ns = sum.other.uncharged_ns = 0;
    driver += sum.caused;
  }
  const auto charged = charge_by_packets(static_cast<double>(driver), packets_);
  for (GuestSum& guest : guests_) guest.threads = guest.packets = guest.shared = 0;
  rules_.clear();
  if (!charged) {
    for (auto& [cpu, sum] : cpus_) {
      sum.other.uncharged_ns += sum.caused;
      sum.caused = 0;
    }
    return;
  }
  rules_.push_back(kByEquations);
  std::vector<Nanoseconds> weights;
  for (const double ns : charged->to_guests) weights.push_back(static_cast<Nanoseconds>(ns));
  const auto whole = divide(driver, sum_of(weights) > 0 ? weights : packets_);
  for (std::size_t i = 0; i < guests_.size(); ++i) guests_[i].shared = whole[i];
}

}  // namespace vtax::watch::rules

namespace vtax::watch {

std::vector<std::uint64_t> divide(std::uint64_t total, const std::vector<std::uint64_t>& weights) {
  rules::Wide sum = 0;
  for (const std::uint64_t weight : weights) sum += weight;
  std::vector<std::uint64_t> parts(weights.size());
  if (sum == 0) return parts;
  // Each part ends where the share of all up to it does: no rounding adds up.
  rules::Wide up_to = 0;
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    up_to += weights[i];
    const auto end = static_cast<std::uint64_t>(static_cast<rules::Wide>(total) * up_to / sum);
    parts[i] = end - given;
    given = end;
  }
  return parts;
}

Reading charge(const Look& before, const Look& after, const Inventory& inventory, ChargeBy by) {
  return rules::Charge(before, after, inventory, by).reading();
}

}  // namespace vtax::watch
