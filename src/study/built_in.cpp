#include "study/built_in.h"

#include <algorithm>

#include "study/suggest.h"

namespace vtax {
namespace {

std::string_view stem(std::string_view file_name) {
  return file_name.substr(0, file_name.size() - kTomlEnding.size());
}

}  // namespace

std::vector<std::string> built_in_names(const std::vector<EmbeddedFile>& files) {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : files) names.emplace_back(stem(file.name));
  std::sort(names.begin(), names.end());
  return names;
}

const EmbeddedFile* find_built_in(const std::vector<EmbeddedFile>& files, std::string_view name) {
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const EmbeddedFile& f) { return stem(f.name) == name; });
  return found == files.end() ? nullptr : &*found;
}

std::string built_in_suggestion(const std::vector<EmbeddedFile>& files, std::string_view name) {
  std::vector<std::string_view> names;
  for (const EmbeddedFile& file : files) names.push_back(stem(file.name));
  return suggestion(name, names);
}

}  // namespace vtax
