#pragma once

#include <string>
#include <string_view>

namespace vtax {

// Any text as what stands between the quotes of a label's value (OpenMetrics, ABNF of escaped-string), with
// '?' for what harms (core/harmless.h).
[[nodiscard]] std::string metric_label(std::string_view text);

}  // namespace vtax
