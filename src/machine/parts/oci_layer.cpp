#include "machine/parts/oci_layer.h"

#include <fmt/format.h>

#include <optional>

#include "core/readable.h"
#include "machine/parts/tar_reader.h"

namespace vtax::lab {
namespace {

constexpr std::string_view kWhiteout = ".wh.", kOpaque = ".wh..wh..opq";
constexpr std::size_t kMostOciFiles = 200'000;
constexpr int kMostFollowedLinks = 40;

Error bad_layer(const std::string& what, std::string why) {
  return {what, std::move(why), "take an image whose layers hold files, folders and links of its own",
          ExitCode::usage};
}

// "usr/bin/sh" of "./usr//bin/sh/" and "/usr/bin/sh", "" of the root; nothing where it leads out of the root.
std::optional<std::string> below_root(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// Where a link leads, seen from the root; nothing where it leads out of it.
std::optional<std::string> target_below_root(const std::string& link, std::string_view target) {
  std::vector<std::string_view> parts;
  const std::string from = target.starts_with('/') ? "" : parent_of(link);
  for (std::string_view path : {std::string_view(from), target})
    while (!path.empty()) {
      const std::string_view part = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(path.size(), part.size() + 1));
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
        continue;
      }
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    }
  return fmt::format("{}", fmt::join(parts, "/"));
}

Error too_many_files(const std::string& what) {
  return bad_layer(what, fmt::format("it has more than {} files", kMostOciFiles));
}

OciFiles::File file_of(const TarEntry& entry) {
  return {OciFiles::File::Kind::file,
          {},
          entry.runs,
          std::make_shared<const std::vector<std::uint8_t>>(entry.content.begin(), entry.content.end())};
}

}  // namespace

OciFiles::Files::iterator OciFiles::erase(Files::iterator file) {
  if (file->second.content != nullptr) bytes_ -= file->second.content->size();
  return files_.erase(file);
}

void OciFiles::remove_below(const std::string& folder) {
  const std::string begin = folder.empty() ? "" : folder + "/";
  for (auto at = files_.lower_bound(begin); at != files_.end() && at->first.starts_with(begin);)
    at = erase(at);
}

void OciFiles::remove(const std::string& path) {
  remove_below(path);
  if (const auto there = files_.find(path); there != files_.end()) erase(there);
}

void OciFiles::put(const std::string& path, File file) {
  if (const auto there = files_.find(path); there != files_.end()) {
    const bool was_folder = there->second.kind == File::Kind::folder;
    if (was_folder && file.kind != File::Kind::folder) remove_below(path);
    erase(there);
  }
  if (file.content != nullptr) bytes_ += file.content->size();
  files_.emplace(path, std::move(file));
}

Result<std::string> OciFiles::place_of(const std::string& path, const std::string& what, Missing missing) {
  std::string place, rest = path;
  int followed = 0;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string next = place.empty() ? rest.substr(0, slash) : place + "/" + rest.substr(0, slash);
    if (slash == std::string::npos) return next;
    rest.erase(0, slash + 1);
    const auto there = files_.find(next);
    if (there != files_.end() && there->second.kind == File::Kind::link) {
      const auto target = target_below_root(next, there->second.target);
      if (!target || ++followed > kMostFollowedLinks)
        return fail(
            bad_layer(what, fmt::format("the link {} among its folders leads nowhere", printable(next))));
      rest = target->empty() ? rest : *target + "/" + rest;
      place.clear();
      continue;
    }
    if (there == files_.end() || there->second.kind != File::Kind::folder) {
      if (missing == Missing::ends) return "";
      put(next, {});
      if (files_.size() > kMostOciFiles) return fail(too_many_files(what));
    }
    place = next;
  }
}

Result<> OciFiles::add_layer(ByteView archive, const std::string& what) {
  // What a layer removes is of those below it, wherever in its archive that stands.
  TarReader removals(archive, what);
  while (true) {
    const auto entry = removals.next();
    if (!entry) return fail(entry.error());
    if (!*entry) break;
    const auto path = below_root((*entry)->path);
    if (!path)
      return fail(bad_layer(what, fmt::format("the path {} leads out of it", printable((*entry)->path))));
    const std::string folder = parent_of(*path);
    const std::string name = folder.empty() ? *path : path->substr(folder.size() + 1);
    if (!name.starts_with(kWhiteout)) continue;
    const auto place = place_of(*path, what, Missing::ends);
    if (!place) return fail(place.error());
    if (place->empty()) continue;
    const std::string where = parent_of(*place);
    if (name == kOpaque)
      remove_below(where);
    else if (name.size() > kWhiteout.size())
      remove((where.empty() ? "" : where + "/") + name.substr(kWhiteout.size()));
  }
  // What is left out may still be a file of two names, one of which is not.
  std::map<std::string, TarEntry> left_out;
  TarReader reader(archive, what);
  while (true) {
    const auto next = reader.next();
    if (!next) return fail(next.error());
    if (!*next) return {};
    const TarEntry& entry = **next;
    const std::string path = below_root(entry.path).value_or("");
    if (path.empty()) continue;  // the root itself
    const std::string folder = parent_of(path);
    if (std::string_view(path).substr(folder.empty() ? 0 : folder.size() + 1).starts_with(kWhiteout))
      continue;
    if (entry.kind == TarEntry::Kind::other)
      return fail(
          bad_layer(what, fmt::format("{} is neither a file nor a folder nor a link", printable(path))));
    const auto place = place_of(path, what);
    if (!place) return fail(place.error());
    if (files_.size() > kMostOciFiles) return fail(too_many_files(what));
    const auto too_much = [&] {
      return bad_layer(what, fmt::format("its files are more than {}, and systems keep them in memory",
                                         readable_bytes(most_bytes_)));
    };
    if (entry.content.size() > most_bytes_ && !is_left_out_(*place)) return fail(too_much());
    switch (entry.kind) {
      case TarEntry::Kind::folder:
        put(*place, {});
        break;
      case TarEntry::Kind::link:
        if (entry.target.empty() || !target_below_root(*place, entry.target))
          return fail(bad_layer(what, fmt::format("the link {} leads out of it", printable(path))));
        put(*place, {File::Kind::link, entry.target});
        break;
      case TarEntry::Kind::hard_link: {
        const auto target = below_root(entry.target);
        if (!target || target->empty())
          return fail(bad_layer(what, fmt::format("the link {} leads out of it", printable(path))));
        if (is_left_out_(*place)) break;
        const auto from = place_of(*target, what);
        if (!from) return fail(from.error());
        if (const auto other = left_out.find(*from); other != left_out.end()) {
          put(*place, file_of(other->second));
          break;
        }
        const auto there = files_.find(*from);
        if (there == files_.end() || there->second.kind == File::Kind::folder)
          return fail(bad_layer(what, fmt::format("the link {} is to no file of it", printable(path))));
        // The same link from another folder may lead elsewhere.
        if (there->second.kind == File::Kind::link && !target_below_root(*place, there->second.target))
          return fail(bad_layer(what, fmt::format("the link {} leads out of it", printable(path))));
        put(*place, File(there->second));
        break;
      }
      case TarEntry::Kind::file:
        if (is_left_out_(*place))
          left_out.insert_or_assign(*place, entry);
        else
          put(*place, file_of(entry));
        break;
      case TarEntry::Kind::other:
        break;
    }
    if (bytes_ > most_bytes_) return fail(too_much());
  }
}

}  // namespace vtax::lab
