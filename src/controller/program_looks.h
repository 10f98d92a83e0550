#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "controller/program_pairs.h"

namespace vtax::controller {

// What is seen of the programs' code, behind a run of theirs. It is passed on as it is: the host side, which
// trusts no guest, reads it.

// "mapped" (program_trial.h), which the client's answer has, and what its server has executed.
[[nodiscard]] Result<> add_mapped(const ProgramPairs& pairs, const ProgramPair& pair,
                                  const JsonFields& answer, nlohmann::json& all);

// "run_time" (there), of what clients and servers made in the window itself.
[[nodiscard]] Result<nlohmann::json> run_time_names_of(const ProgramPairs& pairs);

}  // namespace vtax::controller
