#pragma once

#include <string>
#include <tl/expected.hpp>

#include "query/cell.h"

namespace vtax {

// What keeps a question from being asked of a run.
struct Obstacle {
  std::string why;
  bool is_not_in_run = false;  // a cell that the run was not asked for
};

template <class Value>
using Found = tl::expected<Value, Obstacle>;

[[nodiscard]] inline tl::unexpected<Obstacle> obstacle(std::string why) {
  return tl::unexpected<Obstacle>(Obstacle{std::move(why)});
}

// "native, tcp-stream, 500 B writes": a cell that is named by these factors, platform among them.
[[nodiscard]] std::string cell_name(const Factors& factors);

// The run's only cell that has these factors, if it ended.
[[nodiscard]] Found<const Cell*> find_cell(const RunCosts& costs, const Factors& factors);

// The cost of the run's only cell that has these factors.
[[nodiscard]] Found<const WindowCost*> find_cost(const RunCosts& costs, const Factors& factors);

}  // namespace vtax
