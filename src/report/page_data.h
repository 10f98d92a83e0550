#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "record/run_reader.h"
#include "report/capacity.h"
#include "report/cell.h"
#include "report/terms.h"

namespace vtax {

// What the page shows of a run beyond its costs.
struct PageData {
  RunCosts costs;
  std::optional<Found<MachineSpeed>> speed;  // what rates are derived with
  // Of each cell's median run: the dearest functions, and how many there are besides.
  std::map<Factors, std::pair<std::vector<FunctionCost>, std::uint64_t>> functions;
  std::map<Factors, Timeline> timelines;  // of each cell's median run, where there is one
  std::vector<std::string> provenance;    // different ones, at most a few
  std::string model;                      // whose terms `models` has
  std::vector<MessageModel> models;       // where terms are asked for, of streams of several sizes of a write
};

// With `terms`, or the built-in ones where the run's study asks for them.
[[nodiscard]] Result<PageData> read_page_data(RunReader& reader, const std::optional<TermTable>& terms);

// The JSON that the page's scripts read; no '<' in it.
void write_page_data(const Run& header, const PageData& data, const std::vector<Comparison>& comparisons,
                     std::ostream& out);

}  // namespace vtax
