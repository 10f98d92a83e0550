#pragma once

#include <ostream>

#include "watch/reading.h"

namespace vtax::watch {

// A reading as one line of JSON (docs/top.md): all that it holds, in base units; what is not known is absent.
void write_json_line(const Reading& reading, std::ostream& out);

}  // namespace vtax::watch
