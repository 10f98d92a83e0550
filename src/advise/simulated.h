#pragma once

#include <optional>
#include <string>
#include <vector>

#include "advise/server.h"
#include "advise/told_cell.h"
#include "core/result.h"

namespace vtax::advise {

// What the simulator says of one application's guests on their server: how they share CPUs, and how long an
// exchange takes.
struct Simulated {
  // Of all its guests, Mb/s or transactions a second: as fast as it goes, or with others beside it what it
  // reaches of what is asked for.
  double rate = 0;
  std::optional<double> p99_us{};  // of exchanges, each guest's one at a time; the slowest guest's
};

// Why the simulator does not know the cell; nothing where it does.
[[nodiscard]] std::optional<std::string> obstacle_to_simulating(const Factors& cell);

// The factors that say only how guests share CPUs: costs of cells that the simulator knows are taken from the
// one that has them as usual.
[[nodiscard]] Factors without_sharing(Factors cell);

// `one_guest`: what is told of the same cell with one guest on a CPU of its own, measured at `told_mips`.
// Errors: the simulator's, and a cell without a rate.
[[nodiscard]] Result<Simulated> simulate_cell(const Server& server, const Factors& cell,
                                              const ToldCell& one_guest, int told_mips);

// Of several applications at the rates that are asked for, by application; all of them likewise.
[[nodiscard]] Result<std::vector<Simulated>> simulate_cells(const Server& server,
                                                            const std::vector<Factors>& cells,
                                                            const std::vector<ToldCell>& one_guest,
                                                            int told_mips);

}  // namespace vtax::advise
