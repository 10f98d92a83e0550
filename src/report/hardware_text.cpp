#include "report/hardware_text.h"

#include <fmt/format.h>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"

namespace vtax {
namespace {

std::string shown(std::optional<double> count) {
  return count ? readable(*count) : "-";
}

}  // namespace

void print_hardware(std::ostream& out, const Comparison& comparison, Unit unit) {
  TextTable table({fmt::format("hardware counters, per {}", noun(unit, comparison.factors.at("workload"))),
                   "driver", "kernel", "program", "uncharged", "total"});
  bool any = false;
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost() || !cell->cost()->hardware) continue;
    const auto one = per_unit(1, cell->cost()->work, unit);
    if (!one) continue;
    for (const HardwareLine& line : hardware_lines(*cell->cost()->hardware, 1 / *one)) {
      std::vector<std::string> row{fmt::format("  {}, {}", printable(cell->platform()), line.name)};
      for (const auto& layer : line.layers) row.push_back(shown(layer));
      row.push_back(shown(line.total));
      table.add(std::move(row));
      any = true;
    }
  }
  if (any) table.print(out);
  for (const Cell* cell : comparison.cells) {
    if (!cell->cost() || !cell->cost()->hardware) continue;
    if (const std::string notes = hardware_notes(*cell->cost()->hardware); !notes.empty())
      print_wrapped(out, fmt::format("  {}: ", printable(cell->platform())), notes);
  }
}

}  // namespace vtax
