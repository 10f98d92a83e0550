#include "study/find_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/embedded_file.h"
#include "core/readable.h"
#include "study/suggest.h"

namespace vtax {
namespace embedded {
const std::vector<EmbeddedFile>& studies();
}

namespace {

constexpr std::string_view kEnding = ".toml";

std::string_view stem(std::string_view file_name) {
  return file_name.substr(0, file_name.size() - kEnding.size());
}

}  // namespace

std::vector<std::string> built_in_studies() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded::studies()) names.emplace_back(stem(file.name));
  std::sort(names.begin(), names.end());
  return names;
}

Result<Study> find_study(std::string_view path_or_name) {
  std::error_code error;
  const bool is_path = path_or_name.find('/') != std::string_view::npos || path_or_name.ends_with(kEnding) ||
                       std::filesystem::exists(std::filesystem::path(path_or_name), error);
  if (is_path) return read_study(std::filesystem::path(path_or_name));
  std::vector<std::string_view> names;
  for (const EmbeddedFile& file : embedded::studies()) {
    names.push_back(stem(file.name));
    if (names.back() == path_or_name) return parse_study(file.content, file.name);
  }
  return fail({fmt::format("cannot find study {}", printable(path_or_name)),
               "no such file, and none of this name comes with vtax", suggestion(path_or_name, names)});
}

}  // namespace vtax
