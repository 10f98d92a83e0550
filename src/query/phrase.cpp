#include "query/phrase.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/readable.h"
#include "subject/factor_table.h"
#include "subject/workload_table.h"

namespace vtax {
namespace {

constexpr std::array<std::string_view, 9> kOrder{"direction",     "topology",       "offloads",
                                                 "write_bytes",   "bytes",          "transactions",
                                                 "request_bytes", "response_bytes", "warmup_bytes"};

// What every sentence says, be it as usual or not.
constexpr std::array<std::string_view, 3> kAlwaysTold{"platform", "topology", "offloads"};

std::size_t rank(const std::string& factor) {
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), factor) - kOrder.begin());
}

std::string bytes_text(const std::string& value) {
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bytes);
  return error == std::errc() && *end == '\0' ? readable_bytes(bytes) : printable(value);
}

std::string spaced(std::string factor) {
  std::replace(factor.begin(), factor.end(), '_', ' ');
  return printable(factor);
}

}  // namespace

std::string phrase(const std::string& workload, const std::string& factor, const std::string& value) {
  const bool serves = workload.ends_with("rr");
  if (value.empty()) return "no " + spaced(factor);
  if (factor == "direction" && value == "receive") return serves ? "serving" : "receiving";
  if (factor == "direction" && value == "send") return serves ? "asking" : "sending";
  if (factor == "topology") return printable(value);
  if (factor == "write_bytes")
    return bytes_text(value) + (workload == "udp-stream" ? " datagrams" : " writes");
  if (factor == "rate_mbps") return value == "0" ? "unpaced" : printable(value) + " Mb/s";
  if (factor == "bytes") return bytes_text(value);
  if (factor == "transactions") return printable(value) + " transactions";
  if (factor.ends_with("_bytes")) {
    return fmt::format("{} {}", printable(factor.substr(0, factor.size() - 6)), bytes_text(value));
  }
  if (factor == "compiles") return printable(value) + (value == "1" ? " compile" : " compiles");
  if (factor == "source") return printable(value);
  if (factor == "sampling_hz") return value == "0" ? "no sampling" : "sampling " + printable(value) + " Hz";
  if (factor == "window_ms")
    return value == "0" ? "windows as named" : fmt::format("windows of {} ms", printable(value));
  if (factor == "cpu_mips") return printable(value) + " MIPS";
  if (factor == "round_instructions") return "rounds of " + printable(value) + " instructions";
  if (factor == "guests") return printable(value) + (value == "1" ? " guest" : " guests");
  if (factor.ends_with("_window")) return spaced(factor) + " " + bytes_text(value);
  if (factor.ends_with("_percent"))
    return spaced(factor.substr(0, factor.size() - 8)) + " " + printable(value) + " %";
  if (factor.ends_with("_mbps"))
    return spaced(factor.substr(0, factor.size() - 5)) + " " + printable(value) + " Mb/s";
  return spaced(factor) + " " + printable(value);
}

std::string phrase(const Factors& factors, const std::set<std::string>& shown) {
  const std::string& workload = factors.at("workload");
  std::vector<std::string> names;
  for (const auto& [name, value] : factors) {
    const bool is_told = name != "workload" && name != "platform" && !is_usual(name, value);
    if (is_told && shown.count(name) != 0) names.push_back(name);
  }
  std::stable_sort(names.begin(), names.end(),
                   [](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  std::string out;
  for (const std::string& name : names) {
    out += (out.empty() ? "" : ", ") + phrase(workload, name, factors.at(name));
  }
  return out;
}

std::string full_phrase(const Factors& factors, const std::set<std::string>& shown) {
  const std::string rest = phrase(factors, shown);
  const std::string workload = printable(factors.at("workload"));
  return rest.empty() ? workload : workload + ", " + rest;
}

std::string trial_name(const Factors& factors, const std::set<std::string>& shown) {
  std::string name = printable(factors.at("platform")) + ", " + full_phrase(factors, shown);
  const auto variation = factors.find(kVariation);
  if (variation != factors.end() && variation->second != "none")
    name += ", variation " + printable(variation->second);
  return name;
}

std::string_view noun(Unit unit, const std::string& workload) {
  if (unit != Unit::transaction) return name(unit);
  if (workload == "compile") return "compile";
  if (workload == "http") return "request";
  if (workload == "linpack") return "system";
  if (workload == "cpu-loop") return "round";
  if (workload == "disk") return "block";
  if (workload == "program") return "operation";
  return name(unit);
}

std::string with_article(std::string_view noun) {
  constexpr std::string_view kVowels = "aeio";
  return fmt::format("{} {}", kVowels.find(noun.front()) == std::string_view::npos ? "a" : "an", noun);
}

std::vector<std::pair<Unit, std::string_view>> nouns_of(const std::vector<Comparison>& comparisons) {
  std::vector<std::pair<Unit, std::string_view>> all;
  for (const Unit unit : {Unit::kilobyte, Unit::packet, Unit::transaction}) {
    for (const Comparison& comparison : comparisons) {
      const std::pair one(unit, noun(unit, comparison.factors.at("workload")));
      if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
    }
  }
  return all;
}

std::string constants_text(const Factors& factors, const std::set<std::string>& varying) {
  std::set<std::string> constant;
  // What a window's work grew from says nothing of it.
  const auto length = factors.find("window_ms");
  const WorkloadKind* kind = find_workload(factors.at("workload"));
  const std::string_view grown =
      kind != nullptr && length != factors.end() && length->second != "0" ? amount_of(kind->id) : "";
  for (const auto& [name, value] : factors) {
    const bool said = name == "platform" || name == "workload" || name == grown || is_usual(name, value);
    if (!said && varying.count(name) == 0) constant.insert(name);
  }
  return constant.empty() ? "" : "always " + phrase(factors, constant);
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  if (part == 0) return "0 %";
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
  return percent < 0.01 ? "<0.01 %" : fmt::format("{:.2f} %", percent);
}

// A factor that this version does not know, of a run of another one, is told.
bool is_usual(const std::string& factor, const std::string& value) {
  if (std::find(kAlwaysTold.begin(), kAlwaysTold.end(), factor) != kAlwaysTold.end()) return false;
  const Factor* known = find_factor(common_factors(), factor);
  return known != nullptr && known->fallback == value;
}

}  // namespace vtax
