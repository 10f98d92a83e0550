#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax::lab {

struct Header {
  std::size_t folder = 0;  // in which of the folders it lies
  std::string name;        // as it is included: "bits/types.h"
  std::vector<std::uint8_t> content;
};

// What C texts include, through all levels, whatever the conditions around it: each name in every folder that
// has it, since `#include_next` goes on to the next one. A name that no folder has is left out: the compiler
// will say so if it is needed. Sorted by folder and name. Errors: a file that cannot be read.
[[nodiscard]] Result<std::vector<Header>> header_closure(const std::vector<std::string>& texts,
                                                         const std::vector<std::filesystem::path>& folders);

// The names that a text includes, by <> or "": `# include <stdio.h>`.
[[nodiscard]] std::vector<std::string> included_names(std::string_view text);

}  // namespace vtax::lab
