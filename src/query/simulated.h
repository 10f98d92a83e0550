#pragma once

#include "record/trial.h"

namespace vtax {

// Whether `vtax simulate` made the run: nothing of it was measured.
[[nodiscard]] bool is_simulated(const Run& header);

}  // namespace vtax
