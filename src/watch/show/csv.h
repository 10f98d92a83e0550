#pragma once

#include <ostream>

#include "watch/reading.h"

namespace vtax::watch {

// A row a guest, and one for each part of the time that is no guest's (docs/top.md): over the rows of a
// reading own_ns and caused_ns add up to the time of all CPUs. What is not known is empty.
void write_csv_heading(std::ostream& out);
void write_csv_rows(const Reading& reading, std::ostream& out);

}  // namespace vtax::watch
