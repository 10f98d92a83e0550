#include "record/trial.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vtax {
namespace {

constexpr std::array<std::pair<Layer, std::string_view>, 7> kLayers{{{Layer::hypervisor, "hypervisor"},
                                                                     {Layer::driver, "driver"},
                                                                     {Layer::kernel, "kernel"},
                                                                     {Layer::program, "program"},
                                                                     {Layer::idle, "idle"},
                                                                     {Layer::uncharged, "uncharged"},
                                                                     {Layer::elsewhere, "elsewhere"}}};

constexpr std::array<std::pair<Part, std::string_view>, 3> kParts{
    {{Part::none, ""}, {Part::kernel, "kernel"}, {Part::program, "program"}}};

template <class Names, class Value>
std::string_view name_in(const Names& names, Value value) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == value; });
  return found == names.end() ? "?" : found->second;
}

template <class Value, class Names>
std::optional<Value> value_in(const Names& names, std::string_view name) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.second == name; });
  return found == names.end() ? std::nullopt : std::optional<Value>(found->first);
}

}  // namespace

std::optional<std::uint64_t> machine_cpu_ns(const Trial& trial) {
  std::optional<std::uint64_t> sum;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.kind == kCpuTimeKind) sum = sum.value_or(0) + entry.value;
  return sum;
}

std::string_view name(Layer layer) {
  return name_in(kLayers, layer);
}
std::string_view name(Part part) {
  return name_in(kParts, part);
}
std::optional<Layer> layer_named(std::string_view text) {
  return value_in<Layer>(kLayers, text);
}
std::optional<Part> part_named(std::string_view text) {
  return value_in<Part>(kParts, text);
}

}  // namespace vtax
