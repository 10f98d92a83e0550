#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "core/result.h"

namespace vtax {

// What `vtax report` and `vtax compare` do with recordings of `vtax top`.

// Error, usage: a format that recordings do not have.
[[nodiscard]] Result<> report_recording(const std::string& file, const std::string& format,
                                        std::ostream& out);

// Error, usage: one of the two is a run of trials.
[[nodiscard]] Result<> compare_recordings(const std::string& before, const std::string& after,
                                          std::ostream& out);

}  // namespace vtax
