#pragma once

#include <ostream>

#include "core/result.h"
#include "record/run_reader.h"

namespace vtax {

// The run for an issue, a wiki or a paper's appendix: GitHub's Markdown, with the answer, the tax, published
// beside measured, and the cost by layer. Foreign text stays text: no markup of Markdown or HTML in it takes
// effect.
[[nodiscard]] Result<> write_markdown(RunReader& reader, std::ostream& out);

}  // namespace vtax
