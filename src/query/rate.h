#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/cell.h"

// Rates as people say them: Mb/s of payload (1e6 bits), or transactions or packets a second.
namespace vtax {

// Of so many units a second, and back.
[[nodiscard]] double rate_of_units(Unit unit, double units_per_second);
[[nodiscard]] double units_at_rate(Unit unit, double rate);

// How many of its first unit a window did; nothing where no work was counted.
[[nodiscard]] std::optional<double> units_done(const WindowCost& cost);

// By the window's own clock. Nothing where that clock was the emulator's: in files of a vtax whose lab had no
// time of its own.
[[nodiscard]] std::optional<double> measured_rate(const WindowCost& cost);

[[nodiscard]] std::string_view unit_of_rate(Unit unit);  // "Mb/s", "transactions/s"

// The same for people, by what the workload does: "compiles/s".
[[nodiscard]] std::string rate_noun(Unit unit, const std::string& workload);

}  // namespace vtax
