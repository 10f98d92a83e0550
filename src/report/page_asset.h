#pragma once

#include <string_view>

namespace vtax {

// A file of the page (src/report/CMakeLists.txt) as it was built into the program: "page.css".
[[nodiscard]] std::string_view page_asset(std::string_view name);

}  // namespace vtax
