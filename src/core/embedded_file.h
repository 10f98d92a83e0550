#pragma once

#include <string_view>
#include <vector>

namespace vtax {

// A file that was put into the binary when it was built (cmake/vtax_embed.cmake).
struct EmbeddedFile {
  std::string_view name;  // without its folder
  std::string_view content;
};

}  // namespace vtax
