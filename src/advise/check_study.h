#pragma once

#include <string>

#include "advise/advice.h"

namespace vtax::advise {

inline constexpr std::size_t kMostToCheck = 6;  // placements: a study of minutes

// A study file whose cells are those of the best placements, and of those that nearly hold where few do, at
// the server's own speed and link: `vtax run` of it and `vtax advise --check` say whether the order holds.
// Error (usage): no placement that anything is known of.
[[nodiscard]] Result<std::string> study_text(const Server& server, const Advice& advice);

}  // namespace vtax::advise
