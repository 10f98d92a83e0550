#include "study/speed_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/readable.h"
#include "study/suggest.h"
#include "study/toml_text.h"

namespace vtax {
namespace {

struct Number {
  std::string_view key;
  double Speed::*into;
  double low, high;
};
constexpr std::array<Number, 4> kNumbers{{{"link_mbps", &Speed::link_mbps, 0, 1e6},
                                          {"cpu_mips", &Speed::cpu_mips, 1, 1e6},
                                          {"cpu_percent", &Speed::cpu_percent, 0.1, 100},
                                          {"rate", &Speed::rate, 0.001, 1e9}}};

Result<> read_cell(const toml::node& node, const StudyReader& reader, Speed& speed) {
  const toml::table* cell = node.as_table();
  if (cell == nullptr)
    return reader.wrong(node.source(), fmt::format("'of' must be a table, not {}", type_name(node)),
                        "of = { platform = \"native\", workload = \"tcp-stream\", direction = \"send\" }");
  for (const auto& [key, value] : *cell) {
    auto canonical = reader.factor_value(key, value);
    if (!canonical) return fail(canonical.error());
    speed.of[std::string(key.str())] = std::move(*canonical);
  }
  for (const char* needed : {"platform", "workload"})
    if (speed.of.count(needed) == 0)
      return reader.wrong(node.source(), fmt::format("'of' names no {}", needed),
                          "of = { platform = \"native\", workload = \"tcp-stream\", direction = \"send\" }");
  return {};
}

}  // namespace

Result<std::optional<Speed>> read_speed(const toml::table& root, const StudyReader& reader) {
  const toml::node* node = root.get("speed");
  if (node == nullptr) return std::nullopt;
  const toml::table* table = node->as_table();
  if (table == nullptr)
    return reader.wrong(node->source(), fmt::format("'speed' must be a table, not {}", type_name(*node)),
                        "write a line [speed], and below it cpu_mips = 1000");
  Speed speed;
  for (const auto& [key, value] : *table) {
    if (key.str() == "of") {
      if (auto read = read_cell(value, reader, speed); !read) return fail(read.error());
      continue;
    }
    const auto number =
        std::find_if(kNumbers.begin(), kNumbers.end(), [&](const Number& n) { return n.key == key.str(); });
    if (number == kNumbers.end())
      return reader.wrong(key.source(), fmt::format("unknown key '{}' in [speed]", printable(key.str())),
                          suggestion(key.str(), {"link_mbps", "cpu_mips", "of", "cpu_percent", "rate"}));
    const auto given = value.value<double>();
    if (!given || !(*given >= number->low && *given <= number->high))
      return reader.wrong(
          value.source(),
          fmt::format("'{}' is a number from {} to {}", number->key, number->low, number->high), "");
    speed.*(number->into) = *given;
  }
  const bool by_cell = !speed.of.empty() || speed.cpu_percent > 0 || speed.rate > 0;
  if (speed.cpu_mips > 0 && by_cell)
    return reader.wrong(table->source(), "[speed] gives the CPU twice",
                        "give cpu_mips, or else of, cpu_percent and rate");
  if (speed.cpu_mips == 0 && (speed.of.empty() || speed.cpu_percent == 0 || speed.rate == 0))
    return reader.wrong(table->source(), "[speed] does not say how quick a CPU is",
                        "give cpu_mips, or all of of, cpu_percent and rate: docs/study-files.md shows both");
  return std::optional<Speed>(std::move(speed));
}

}  // namespace vtax
