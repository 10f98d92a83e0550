#include "machine/parts/cpio.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace vtax::lab {
namespace {

void append(std::vector<std::uint8_t>& out, const std::string& name, unsigned inode, unsigned mode,
            unsigned links, unsigned major, unsigned minor, ByteView content) {
  // magic, inode, mode, owner, group, links, time, size, device's numbers, special file's numbers, name's
  // size, check.
  const std::string header =
      fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
                  inode, mode, 0, 0, links, 0, content.size(), 0, 0, major, minor, name.size() + 1, 0);
  const auto pad = [&out] { out.resize((out.size() + 3) & ~std::size_t{3}); };
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), name.begin(), name.end());
  out.push_back(0);
  pad();
  out.insert(out.end(), content.begin(), content.end());
  pad();
}

}  // namespace

void CpioArchive::add(const std::string& path, Entry entry) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && !entries_.contains(path.substr(0, slash)))
    directory(path.substr(0, slash));
  entries_[path] = std::move(entry);
}

void CpioArchive::directory(const std::string& path) {
  add(path, {S_IFDIR | 0755U});
}

void CpioArchive::file(const std::string& path, std::vector<std::uint8_t> content, unsigned permissions) {
  add(path, {S_IFREG | permissions, 0, 0, std::move(content)});
}

void CpioArchive::symlink(const std::string& path, const std::string& target) {
  add(path, {S_IFLNK | 0777U, 0, 0, {target.begin(), target.end()}});
}

void CpioArchive::character_device(const std::string& path, unsigned major, unsigned minor) {
  add(path, {S_IFCHR | 0600U, major, minor});
}

std::vector<std::uint8_t> CpioArchive::bytes() const {
  std::vector<std::uint8_t> out;
  std::size_t size = 1024;
  for (const auto& [path, entry] : entries_) size += entry.content.size() + path.size() + 128;
  out.reserve(size);
  unsigned inode = 0;
  for (const auto& [path, entry] : entries_)
    append(out, path, ++inode, entry.mode, S_ISDIR(entry.mode) ? 2 : 1, entry.major, entry.minor,
           entry.content);
  append(out, "TRAILER!!!", 0, 0, 1, 0, 0, {});
  out.resize((out.size() + 511) & ~std::size_t{511});
  return out;
}

}  // namespace vtax::lab
