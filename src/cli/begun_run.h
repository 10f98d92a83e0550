#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/run_options.h"
#include "core/result.h"
#include "study/study.h"

namespace vtax {

// Whether `--resume` names a run file, which says what it was begun with: by what is in the file, whatever
// its name; of one that is not there, by the name's ending.
[[nodiscard]] bool is_run_file(const RunOptions& options);

// The study of that run file; `options` become those that it was begun with. Errors: usage; other options
// stand beside it, or it does not say how it was begun; those of RunReader::open() and parse_study().
[[nodiscard]] Result<Study> take_from_run_file(RunOptions& options);

// What take_from_run_file() needs besides what the settings come to; in a run's settings as kAskedFor.
[[nodiscard]] nlohmann::json asked_for(const RunOptions& options);

// Where `out` holds a run that was begun with this study and these options: its study's factors cpu_mips and
// link_mbps are set as [speed] was found to be then, and the answer is true. False where there is nothing to
// take: no such file, or another run's, which RunWriter::resume() says.
[[nodiscard]] bool take_speed(Study& study, const RunOptions& options, const std::filesystem::path& out);

}  // namespace vtax
