#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "model/capacity.h"
#include "model/offered_load.h"
#include "model/terms.h"
#include "query/cell.h"
#include "record/run_reader.h"
#include "report/answer.h"

namespace vtax {

// What the page shows of a run. Of a run of more cells than a browser shows well it has the first ones of the
// plan, and those of the answer.
struct PageData {
  RunCosts costs;
  std::vector<Comparison> comparisons;   // all of the run's; they point into `costs`
  std::vector<const Comparison*> shown;  // those of which something was measured, as many as the page holds
  std::size_t shown_cells = 0, left_out_cells = 0;
  std::vector<WorkloadAnswer> answers;       // in `comparisons`
  std::vector<OfferedSeries> offered;        // where there is a speed
  std::optional<Found<MachineSpeed>> speed;  // what rates are derived with
  // Of each cell's median run: the dearest functions, and how many there are besides.
  std::map<Factors, std::pair<std::vector<FunctionCost>, std::uint64_t>> functions;
  std::map<Factors, Timeline> timelines;  // of each cell's median run, where there is one
  std::vector<std::string> provenance;    // different ones, at most a few
  std::string model;                      // whose terms `models` has
  std::vector<MessageModel> models = {};  // where terms are asked for, of streams of several sizes of a write

  // Of the first picture: the dearest of the first workload's typical combination; null where nothing was
  // measured.
  [[nodiscard]] const Cell* headline_cell() const;
};

// "driver kernel"
[[nodiscard]] std::string layer_and_part(const FunctionCost& cost);

// With `terms`, or the built-in ones where the run's study asks for them.
[[nodiscard]] Result<PageData> read_page_data(RunReader& reader, const std::optional<TermTable>& terms);

// The JSON that the page's scripts read; no '<' in it.
void write_page_data(const Run& header, const PageData& data, std::ostream& out);

}  // namespace vtax
