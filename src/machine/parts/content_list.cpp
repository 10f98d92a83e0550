#include "machine/parts/content_list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>

#include "core/fast_hash.h"
#include "core/files.h"
#include "core/readable.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTitle = "vtax content 1\n";
constexpr std::string_view kSeal = "hash ";

// Of each file below the folder what identifies it: "file HASH LENGTH MODE", "link TARGET", "folder".
using Content = std::map<std::string, std::string>;

Error damaged_folder(const fs::path& folder, std::string why) {
  return {"cannot use " + folder.string(), std::move(why), "run 'vtax lab fetch', or the same command again",
          ExitCode::io};
}

Result<std::string> describe_file(const fs::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) return fail(system_error("cannot read " + file.string(), errno));
  if (S_ISDIR(status.st_mode)) return std::string("folder");
  if (S_ISLNK(status.st_mode)) {
    std::error_code error;
    const fs::path target = fs::read_symlink(file, error);
    if (error) return fail(system_error("cannot read " + file.string(), error.value()));
    return "link " + target.string();
  }
  if (!S_ISREG(status.st_mode))
    return fail({"cannot use " + file.string(), "it is no file", "", ExitCode::io});
  const auto hash = fast_hash_of_file(file);
  if (!hash) return fail(hash.error());
  return fmt::format("file {} {} {:o}", *hash, status.st_size, status.st_mode & 07777U);
}

Result<Content> content_of_folder(const fs::path& folder) {
  Content content;
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(folder, error);
  for (; !error && entry != fs::end(entry); entry.increment(error)) {
    const std::string name = entry->path().lexically_relative(folder).string();
    if (name == kContentListName) continue;
    auto described = describe_file(entry->path());
    if (!described) return fail(described.error());
    content.emplace(name, std::move(*described));
  }
  if (error) return fail(system_error("cannot read " + folder.string(), error.value()));
  return content;
}

std::string seal_of_list(std::string_view text) {
  FastHash hash;
  hash.add(text);
  return hash.hex();
}

std::string list_text(const Content& content, const std::string& made_from) {
  std::string text(kTitle);
  text += made_from + "\n";
  for (const auto& [name, what] : content) text += name + "\n" + what + "\n";
  return text + std::string(kSeal) + seal_of_list(text) + "\n";
}

// Nothing where it is damaged.
std::optional<Content> read_list(std::string_view text, const std::string& made_from) {
  const std::size_t seal_length = kSeal.size() + kFastHashDigits + 1;
  if (text.size() < seal_length) return std::nullopt;
  const std::string_view lines = text.substr(0, text.size() - seal_length);
  if (text.substr(lines.size()) != std::string(kSeal) + seal_of_list(lines) + "\n") return std::nullopt;
  const std::string begin = std::string(kTitle) + made_from + "\n";
  if (!lines.starts_with(begin)) return std::nullopt;
  std::istringstream rest{std::string(lines.substr(begin.size()))};
  Content content;
  std::string name, what;
  while (std::getline(rest, name) && std::getline(rest, what)) content.emplace(name, what);
  return content;
}

}  // namespace

Result<> write_content_list(const fs::path& folder, const std::string& made_from) {
  auto content = content_of_folder(folder);
  if (!content) return fail(content.error());
  for (const auto& [name, what] : *content)
    if ((name + what).find('\n') != std::string::npos)
      return fail(
          damaged_folder(folder, "the name of a file in it has a line break: " + printable(name, 200)));
  return write_text(folder / kContentListName, list_text(*content, made_from));
}

Result<> check_content(const fs::path& folder, const std::string& made_from) {
  const auto text = read_text(folder / kContentListName);
  if (!text) return fail(damaged_folder(folder, "it has no list of its content"));
  const auto listed = read_list(*text, made_from);
  if (!listed) return fail(damaged_folder(folder, "the list of its content is damaged or another folder's"));
  const auto found = content_of_folder(folder);
  if (!found) return fail(found.error());
  for (const auto& [name, what] : *found) {
    const auto known = listed->find(name);
    if (known == listed->end())
      return fail(damaged_folder(folder, printable(name, 200) + " does not belong there"));
    if (known->second != what)
      return fail(damaged_folder(folder, printable(name, 200) + " is not what it was when it was made"));
  }
  for (const auto& [name, what] : *listed)
    if (!found->contains(name)) return fail(damaged_folder(folder, printable(name, 200) + " is missing"));
  return {};
}

bool has_content_list(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / kContentListName, ignored);
}

}  // namespace vtax::lab
