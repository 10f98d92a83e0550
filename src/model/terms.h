#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "core/line_fit.h"
#include "core/result.h"
#include "model/term_table.h"
#include "query/cell.h"
#include "record/run_reader.h"

// A paper's cost model, read from the exact function profile: what each term costs for a message of S bytes.
namespace vtax {

// One term over the sizes: instructions per message, as constant + slope S.
struct TermCost {
  std::string name;
  std::string says;
  bool grows = false;         // the model lets it grow with S
  std::vector<double> costs;  // instructions per message, by MessageModel::sizes
  std::optional<LineFit> fit;
  double slope_per_kilobyte() const { return fit ? fit->slope * 1024 : 0; }
};

// Cells that differ in the size of a write alone. The terms add up to `total`.
struct MessageModel {
  Factors factors;              // without write_bytes
  std::vector<double> sizes;    // bytes, ascending
  std::vector<TermCost> terms;  // without those that cost nothing anywhere; then "other" by layer
  TermCost total;
};

// Of streams with at least two sizes, each cell's median run. Errors: the file's; usage where no workload has
// several sizes.
[[nodiscard]] Result<std::vector<MessageModel>> message_models(RunReader& reader, const TermTable& table);

// "xen-pv, tcp-stream, sending": each model's platform, workload, and what else tells it from the others.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<MessageModel>& models);

// For the terminal.
void write_terms(const TermTable& table, const std::vector<MessageModel>& models, std::ostream& out);

}  // namespace vtax
