#include "agent/watch_books.h"

namespace vtax::agent {

controller::WindowHooks WatchBooks::hooks() {
  return {[this] { return begin(); }, [this] { return end(); },
          [this](nlohmann::json& result) { describe(result); }};
}

Result<> WatchBooks::open() {
  auto watch = watch::Watch::start({});
  if (!watch) return fail(watch.error());
  watch_.emplace(std::move(*watch));
  return {};
}

Result<> WatchBooks::begin() {
  if (auto begun = peers_.begin(); !begun) return begun;
  const auto until_here = watch_->read();
  if (!until_here) return fail(until_here.error());
  return {};
}

Result<> WatchBooks::end() {
  auto reading = watch_->read();
  if (!reading) return fail(reading.error());
  reading_ = std::move(*reading);
  return peers_.end();
}

void WatchBooks::describe(nlohmann::json& result) const {
  nlohmann::json guests = nlohmann::json::array();
  for (const watch::GuestUse& guest : reading_.guests) {
    nlohmann::json one = {{"name", guest.name},
                          {"own_ns", guest.own_ns},
                          {"threads_ns", guest.caused.threads_ns},
                          {"packets_ns", guest.caused.packets_ns},
                          {"shared_ns", guest.caused.shared_ns}};
    if (guest.network) one["packets"] = guest.network->received_packets + guest.network->sent_packets;
    guests.push_back(std::move(one));
  }
  const watch::OtherTime& other = reading_.other;
  result["watch"] = {{"interval_ns", reading_.interval.count()},
                     {"all_cpus_ns", reading_.all_cpus_ns},
                     {"guests", guests},
                     {"other",
                      {{"driver_ns", other.driver_ns},
                       {"uncharged_ns", other.uncharged_ns},
                       {"elsewhere_ns", other.elsewhere_ns},
                       {"vtax_ns", other.vtax_ns},
                       {"stolen_ns", other.stolen_ns},
                       {"idle_ns", other.idle_ns}}},
                     {"shared_by", reading_.shared_by},
                     {"missing", reading_.missing}};
  peers_.describe(result);
}

}  // namespace vtax::agent
