#include "model/capacity.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/readable.h"
#include "query/phrase.h"
#include "study/speed.h"

namespace vtax {
namespace {

// Behind each frame, besides what a card counts, which has the checksum with it: preamble 8, gap 12.
constexpr double kBytesBetweenFrames = 20;
constexpr double kBitsOfMegabit = 1e6;

std::uint64_t busy(const LayerCosts& layers) {
  const std::uint64_t all = std::accumulate(layers.begin(), layers.end(), std::uint64_t{0});
  return all - layers[static_cast<std::size_t>(Layer::idle)];
}

// Bits of the wire in the direction that has more of them. Cards count single frames when they receive, so
// the receivers of both directions are asked.
double bits_on_wire(const WindowCost& cost) {
  double most = 0;
  for (const DeviceCount& device : cost.devices) {
    const double bytes = static_cast<double>(device.received_bytes.value) +
                         kBytesBetweenFrames * static_cast<double>(device.received.value);
    most = std::max(most, 8 * bytes);
  }
  return most;
}

// A peer in another machine has devices, and no CPU that is counted.
bool is_over_wire(const WindowCost& cost) {
  return cost.peer > 0 || std::any_of(cost.devices.begin(), cost.devices.end(),
                                      [](const DeviceCount& device) { return device.domain == "peer"; });
}

std::string cpu_name(const WindowCost& cost, int cpu, const LayerCosts& layers) {
  if (cost.of(Layer::driver) == 0) return fmt::format("CPU {}", cpu);
  const auto in = [&](Layer layer) { return layers[static_cast<std::size_t>(layer)]; };
  const bool is_driver = in(Layer::driver) > in(Layer::kernel) + in(Layer::program);
  return fmt::format("{} CPU {}", is_driver ? "the driver's" : "the guest's", cpu);
}

Found<MachineSpeed> calibrated(const Speed& setting, const RunCosts& costs) {
  MachineSpeed speed;
  speed.link_bits_per_second = setting.link_mbps * kBitsOfMegabit;
  if (setting.cpu_mips > 0) {
    speed.cpu_per_second = setting.cpu_mips * 1e6;
    speed.basis = fmt::format("{} million instructions a second of a CPU, as the study says",
                              readable(setting.cpu_mips));
    return speed;
  }
  const auto cost = find_cost(costs, setting.of);
  if (!cost) return obstacle("the study's [speed] cannot be applied: " + cost.error().why);
  const auto units = units_done(**cost);
  std::uint64_t most = 0;
  for (const auto& [cpu, layers] : (*cost)->cpus) most = std::max(most, busy(layers));
  if (!units || most == 0)
    return obstacle(
        fmt::format("the study's [speed] cannot be applied: cell {} counted no work", cell_name(setting.of)));
  const Unit unit = units_of((*cost)->work).front();
  speed.cpu_per_second =
      static_cast<double>(most) / *units * units_at_rate(unit, setting.rate) / (setting.cpu_percent / 100);
  speed.basis = fmt::format("{} million instructions a second of a CPU, so that {} uses {} % of one at {} {}",
                            readable(speed.cpu_per_second * 1e-6), cell_name(setting.of), setting.cpu_percent,
                            setting.rate, unit_of_rate(unit));
  return speed;
}

}  // namespace

std::optional<Found<MachineSpeed>> machine_speed(const Run& header, const RunCosts& costs) {
  if (in_time(costs)) return MachineSpeed{1e9, 0, "this computer's own CPU time"};
  const auto settings = nlohmann::json::parse(header.settings, nullptr, false);
  if (!settings.is_object() || !settings.contains("speed")) return std::nullopt;
  const auto setting = speed_from(settings["speed"]);
  if (!setting) return obstacle(fmt::format("{}: {}", setting.error().what, setting.error().why));
  return calibrated(*setting, costs);
}

double Capacity::rate() const {
  return rate_of_units(unit, units_per_second);
}

std::optional<Capacity> capacity(const WindowCost& cost, const MachineSpeed& speed) {
  const auto units = units_done(cost);
  if (!units) return std::nullopt;
  Capacity out;
  out.unit = units_of(cost.work).front();
  double longest = 0;  // seconds of the whole window's work
  const auto add = [&](std::string name, double seconds, bool is_systems_cpu = false) {
    if (seconds <= 0) return;
    longest = std::max(longest, seconds);
    out.stations.push_back({std::move(name), seconds, is_systems_cpu});
  };
  for (const auto& [cpu, layers] : cost.cpus)
    add(cpu_name(cost, cpu, layers), static_cast<double>(busy(layers)) / speed.cpu_per_second, true);
  add("the peer's CPU", static_cast<double>(cost.peer) / speed.cpu_per_second);
  if (speed.link_bits_per_second > 0 && is_over_wire(cost))
    add("the wire", bits_on_wire(cost) / speed.link_bits_per_second);
  if (longest == 0) return std::nullopt;
  out.units_per_second = *units / longest;
  for (Station& station : out.stations) station.utilisation /= longest;
  std::stable_sort(out.stations.begin(), out.stations.end(),
                   [](const Station& a, const Station& b) { return a.utilisation > b.utilisation; });
  return out;
}

std::string capacity_text(const Capacity& capacity, const std::string& workload) {
  constexpr double kWorthAWord = 0.01;
  std::string others;
  for (auto station = capacity.stations.begin() + 1; station != capacity.stations.end(); ++station) {
    if (station->utilisation < kWorthAWord) continue;
    others +=
        fmt::format("{}{} {:.0f} %", others.empty() ? " (" : ", ", station->name, 100 * station->utilisation);
  }
  if (!others.empty()) others += ')';
  return fmt::format("bound {} {}, where {} would be busy all the time{}", readable(capacity.rate()),
                     rate_noun(capacity.unit, workload), capacity.stations.front().name, others);
}

std::string rates_text(const WindowCost& cost, const Capacity& capacity, const std::string& workload) {
  constexpr double kErrorOfReadings = 0.02;
  const auto reached = measured_rate(cost);
  if (!reached) return capacity_text(capacity, workload);
  const std::string ran = fmt::format("ran at {} {}", readable(*reached), rate_noun(capacity.unit, workload));
  if (*reached <= capacity.rate() * (1 + kErrorOfReadings))
    return fmt::format("{}; {}", ran, capacity_text(capacity, workload));
  return fmt::format(
      "{}, more than the CPU time that was read allows ({}): the window is too short for these "
      "readings, let it last a second",
      ran, readable(capacity.rate()));
}

}  // namespace vtax
