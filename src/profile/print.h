#pragma once

#include <ostream>

#include "profile/merge.h"

namespace vtax::profile {

// Samples, per cent, image, who and function (dissertation, table 5.2), at most `rows` of them (0: all);
// below, guests by equation 4.9 beside the counters, and what is missing.
void write_table(const Merged& merged, std::size_t rows, std::ostream& out);

// docs/profile.md has the fields.
void write_json(const Merged& merged, std::ostream& out);

// As `perf script` prints samples with their stacks. Times are the samples' places in the profile, in
// milliseconds, and mean nothing.
void write_perf_script(const Merged& merged, std::ostream& out);

}  // namespace vtax::profile
