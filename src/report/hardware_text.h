#pragma once

#include <ostream>

#include "query/cell.h"

namespace vtax {

// Cycles and instructions by layer, for people; nothing where no cell has them. Markdown's are in
// markdown.cpp.
void print_hardware(std::ostream& out, const Comparison& comparison, Unit unit);

}  // namespace vtax
