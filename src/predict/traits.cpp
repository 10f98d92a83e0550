#include "predict/traits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "subject/platform_table.h"

namespace vtax::predict {
namespace {

constexpr double kPacket = 1448;  // payload of a full TCP segment with timestamps
constexpr double kMostJoined = 65536, kMebibyte = 1048576;
constexpr std::string_view kSegments = "segments", kOneKernel = "one kernel";

bool has_value(const Factors& cell, const std::string& factor, std::string_view value) {
  const auto found = cell.find(factor);
  return found != cell.end() && found->second == value;
}

// Bytes; none where the cell has no such factor.
std::optional<double> size_in(const Factors& cell, const std::string& factor) {
  const auto found = cell.find(factor);
  if (found == cell.end()) return std::nullopt;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<double>(value);
}

std::string_view runner_name(GuestRunner runner) {
  switch (runner) {
    case GuestRunner::none:
      break;
    case GuestRunner::xen:
      return "xen";
    case GuestRunner::kvm:
      return "kvm";
    case GuestRunner::program:
      return "program";
  }
  return "none";
}

}  // namespace

Factors with_traits(const Factors& cell) {
  Factors all = cell;
  const auto platform = cell.find("platform");
  const auto id = platform == cell.end() ? std::nullopt : platform_named(platform->second);
  const bool has_no_guests = id && facts_of(*id).runner == GuestRunner::none;
  if (id) all["virtualisation"] = runner_name(facts_of(*id).runner);
  if (has_no_guests && has_value(cell, "topology", "inside"))
    for (const char* factor : {"direction", "offloads"})
      if (const auto found = all.find(factor); found != all.end()) found->second = kOneKernel;

  const double most = has_value(cell, "offloads", "off") ? kPacket : kMostJoined;
  if (const auto write = size_in(cell, "write_bytes");
      write && *write > 0 && has_value(cell, "workload", "tcp-stream")) {
    const bool is_merged = has_value(cell, "topology", "card") && has_value(cell, "direction", "receive") &&
                           has_value(cell, "offloads", "on");
    all["merged_on_receipt"] = is_merged ? "yes" : "no";
    all["short_writes"] = *write < kPacket ? "yes" : "no";
    all[std::string(kSegments)] = fmt::format("{:.9g}", kMebibyte / std::min(*write, most));
  }
  const auto request = size_in(cell, "request_bytes"), response = size_in(cell, "response_bytes");
  if (request && response)
    all[std::string(kSegments)] = fmt::format("{}", std::ceil(*request / most) + std::ceil(*response / most));
  return all;
}

bool is_numeric_trait(std::string_view name) {
  return name == kSegments;
}

}  // namespace vtax::predict
