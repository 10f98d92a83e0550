#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "record/trial.h"

namespace vtax {

// A ledger on its way from one process to another, JSON:
//   [{"cpu": 0, "domain": "host", "kind": "cpu_ns", "layer": "kernel", "part": "", "value": 12345}, ...]
// `cpu` is -1 where it is not known.
[[nodiscard]] std::string ledger_text(const std::vector<LedgerEntry>& ledger);

// Errors (trial_failed): a row with another key, or without one of these; a word that is no layer or part; a
// value that is no count; more rows or bytes than any computer's ledger has.
[[nodiscard]] Result<std::vector<LedgerEntry>> read_ledger(std::string_view text);

}  // namespace vtax
