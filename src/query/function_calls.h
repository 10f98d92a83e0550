#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "core/result.h"
#include "query/cell.h"
#include "record/run_reader.h"

// What chosen functions are called for each unit of work, and what a call costs: whether one platform calls
// them more often than another, or pays more for each.
namespace vtax {

// One function at one payer in one cell, of all its finished starts together.
struct FunctionUse {
  FunctionCost who;  // its instructions and calls are sums; calls absent where one start did not count them
  Work work;         // of the starts in which it ran or not, likewise their sum

  [[nodiscard]] std::optional<double> calls_per_unit(Unit unit) const;
  [[nodiscard]] std::optional<double> instructions_per_call() const;  // nothing without calls
};

struct CellFunctions {
  Factors factors;
  std::vector<FunctionUse> uses;  // the dearest first; empty: none of them ran
};

// `patterns`: names, in which * stands for any characters and ? for one. In the order of the plan. Errors
// (usage): none of the run's functions has such a name; no functions were recorded.
[[nodiscard]] Result<std::vector<CellFunctions>> read_function_calls(
    RunReader& reader, const std::vector<std::string>& patterns);

void write_function_calls(const std::vector<CellFunctions>& cells, std::ostream& out);

}  // namespace vtax
