#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/comparison.h"

// A comparison's parts in words, which its text, its Markdown and its JSON share.
namespace vtax {

// "+2.31 %", "~" for no change, "new" where there was nothing before, "gone".
[[nodiscard]] std::string change_text(std::optional<double> relative);

// "+2.10 to +2.52 %"; "" where the repetitions are too few for an interval.
[[nodiscard]] std::string interval_text(const CellChange& cell);

// "xen-pv, tcp-rr, inside, ...": all of a cell's factors that differ among the cells.
[[nodiscard]] std::string name_among(const CellChange& cell, const RunComparison& comparison);

// "transaction", or the workload's own word for it: "compile".
[[nodiscard]] std::string unit_noun(const CellChange& cell);

// "host kernel: memset (vmlinux)" without what goes without saying: there is no other domain beside a host,
// and a kernel's functions are in vmlinux unless a module is named.
[[nodiscard]] std::string short_function_name(std::string_view name);

// "60 cells: 2 dearer, 1 cheaper, 57 ~ (no difference shown; 12 identical)."
[[nodiscard]] std::string count_text(const RunComparison& comparison);

// "The second run is unfinished: 2 of its trials were not run."
[[nodiscard]] std::vector<std::string> unfinished_text(const RunComparison& comparison);

// What made the cell's cost rise or fall: its functions that changed most, with their calls where they are
// known;
// "" where functions are not known.
[[nodiscard]] std::string causes_text(const CellChange& cell);

// Of the cells whose difference is shown the one that rose most; null: none rose.
[[nodiscard]] const CellChange* dearest_change(const RunComparison& comparison);

}  // namespace vtax
