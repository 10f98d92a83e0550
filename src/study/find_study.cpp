#include "study/find_study.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/readable.h"
#include "study/built_in.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& studies();
}

std::vector<std::string> built_in_studies() {
  return built_in_names(embedded::studies());
}

Result<Study> find_study(std::string_view path_or_name) {
  std::error_code error;
  const bool is_path = path_or_name.find('/') != std::string_view::npos ||
                       path_or_name.ends_with(kTomlEnding) ||
                       std::filesystem::exists(std::filesystem::path(path_or_name), error);
  if (is_path) return read_study(std::filesystem::path(path_or_name));
  if (const EmbeddedFile* file = find_built_in(embedded::studies(), path_or_name))
    return parse_study(file->content, file->name);
  return fail({fmt::format("cannot find study {}", printable(path_or_name)),
               "no such file, and none of this name comes with vtax",
               built_in_suggestion(embedded::studies(), path_or_name)});
}

}  // namespace vtax
