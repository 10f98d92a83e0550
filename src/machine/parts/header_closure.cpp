#include "machine/parts/header_closure.h"

#include <map>
#include <set>

#include "core/files.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

// The name that one line includes; empty where it includes none.
std::string_view name_in_line(std::string_view line) {
  line = without_blanks(line);
  if (!line.starts_with('#')) return {};
  line = without_blanks(line.substr(1));
  if (!line.starts_with("include")) return {};
  line.remove_prefix(std::string_view("include").size());
  if (line.starts_with("_next")) line.remove_prefix(std::string_view("_next").size());
  line = without_blanks(line);
  if (line.empty() || (line.front() != '<' && line.front() != '"')) return {};
  const std::size_t end = line.find(line.front() == '<' ? '>' : '"', 1);
  return end == std::string_view::npos ? std::string_view() : line.substr(1, end - 1);
}

}  // namespace

std::vector<std::string> included_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::string_view name = name_in_line(text.substr(0, text.find('\n')));
    if (!name.empty()) names.emplace_back(name);
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return names;
}

Result<std::vector<Header>> header_closure(const std::vector<std::string>& texts,
                                           const std::vector<fs::path>& folders) {
  std::set<std::string> asked;
  std::vector<std::string> next;
  const auto ask = [&](std::string_view text) {
    for (std::string& name : included_names(text))
      if (name.find("..") == std::string::npos && asked.insert(name).second) next.push_back(std::move(name));
  };
  for (const std::string& text : texts) ask(text);
  std::map<std::pair<std::size_t, std::string>, std::vector<std::uint8_t>> found;
  while (!next.empty()) {
    const std::string name = std::move(next.back());
    next.pop_back();
    for (std::size_t folder = 0; folder < folders.size(); ++folder) {
      std::error_code ignored;
      if (!fs::is_regular_file(folders[folder] / name, ignored)) continue;
      auto content = read_file(folders[folder] / name);
      if (!content) return fail(content.error());
      ask({reinterpret_cast<const char*>(content->data()), content->size()});
      found[{folder, name}] = std::move(*content);
    }
  }
  std::vector<Header> headers;
  for (auto& [key, content] : found) headers.push_back({key.first, key.second, std::move(content)});
  return headers;
}

}  // namespace vtax::lab
