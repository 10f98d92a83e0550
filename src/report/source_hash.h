#pragma once

#include <string>
#include <string_view>

namespace vtax {

// "'sha256-...'": as a Content-Security-Policy names what may run or style, by content.
[[nodiscard]] std::string source_hash(std::string_view content);

}  // namespace vtax
