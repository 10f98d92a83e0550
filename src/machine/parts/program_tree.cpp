#include "machine/parts/program_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "account/mapped_symbols.h"
#include "core/elf_file.h"
#include "core/files.h"
#include "core/readable.h"
#include "core/sha256.h"
#include "core/units.h"
#include "machine/parts/content_list.h"
#include "machine/parts/oci_image.h"
#include "machine/parts/rooted_folder.h"
#include "machine/parts/shared_libraries.h"
#include "subject/program_text.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDebugFolder = "usr/lib/debug/";

bool is_left_out(const std::string& path) {
  constexpr std::array kUnused = {"usr/share/doc/",    "usr/share/man/",
                                  "usr/share/info/",   "usr/share/lintian/",
                                  "usr/share/locale/", "usr/share/bug/",
                                  "usr/share/icons/",  "usr/share/applications/",
                                  "usr/include/",      "usr/share/bash-completion/",
                                  kDebugFolder};
  return std::any_of(kUnused.begin(), kUnused.end(),
                     [&](const char* folder) { return path.starts_with(folder); }) ||
         path.find("/gconv/") != std::string::npos || path.ends_with(".a") ||
         path.find("/bitcode/") != std::string::npos;  // of functions, for LLVM to compile them into queries
}

// The links of a merged /usr; packages have either the one or the other.
constexpr const char* kMerged[] = {"bin", "sbin", "lib", "lib64"};

std::vector<std::uint8_t> program_text(std::string_view text) {
  return {text.begin(), text.end()};
}

Error bad_files(const fs::path& files, std::string why, std::string next) {
  return {"cannot use 'files' = " + printable(files.string()), std::move(why), std::move(next),
          ExitCode::usage};
}

}  // namespace

ProgramFile ProgramFile::at(const fs::path& place) {
  std::error_code error;
  ProgramFile file{place};
  if (fs::is_symlink(place, error))
    file.link = fs::read_symlink(place, error).string();
  else
    file.runs = (fs::status(place, error).permissions() & fs::perms::owner_exec) != fs::perms::none;
  return file;
}

std::uint64_t ProgramFile::bytes() const {
  std::error_code error;
  if (!link.empty()) return 0;
  return held != nullptr ? held->size() : fs::file_size(place, error);
}

Result<std::vector<std::uint8_t>> ProgramFile::content() const {
  if (held != nullptr) return *held;
  return read_file(place);
}

namespace {

Result<ProgramTree> tree_of_image(const fs::path& folder, bool with_content) {
  const auto image = OciImage::open(folder);
  if (!image) return fail(image.error());
  ProgramTree tree;
  tree.hash = image->sha256();
  if (!with_content) return tree;
  OciFiles unpacked([](const std::string& path) { return is_left_out(path); }, ProgramTree::kMostBytes);
  if (Result<> added = image->add_to(unpacked); !added) return fail(added.error());
  for (const auto& [path, file] : unpacked.files()) {
    if (file.kind == OciFiles::File::Kind::folder)
      tree.folders.insert(path);
    else
      tree.files[path] = {{}, file.content, file.target, file.runs};
  }
  return tree;
}

}  // namespace

Result<ProgramTree> ProgramTree::own(const std::string& given, bool with_content) {
  if (given.starts_with(kOciImage)) return tree_of_image(given.substr(kOciImage.size()), with_content);
  ProgramTree tree;
  std::error_code error;
  const fs::path root = fs::absolute(fs::path(given)).lexically_normal();
  if (fs::is_regular_file(root, error)) {
    const auto content = read_file(root);
    if (!content) return fail(content.error());
    if (!is_static_program(*content))
      return fail(bad_files(given, "it is not a static program",
                            "link it with -static, or give a folder with it and its libraries"));
    tree.files["usr/bin/" + root.filename().string()] = ProgramFile::at(root);
  } else if (fs::is_directory(root, error)) {
    if (fs::exists(root / "oci-layout", error))
      return fail(bad_files(given, "the folder holds an image of a container",
                            fmt::format("name it as such: image = \"{}{}\"", kOciImage, printable(given))));
    for (auto entry = fs::recursive_directory_iterator(root, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const std::string path = entry->path().lexically_relative(root).string();
      if (entry->is_symlink() || entry->is_regular_file())
        tree.files[path] = ProgramFile::at(entry->path());
      else if (!entry->is_directory())
        return fail(bad_files(given, printable(path) + " is neither a file nor a folder nor a link", ""));
    }
    if (error) return fail(system_error("cannot read " + root.string(), error.value()));
    if (tree.files.empty()) return fail(bad_files(given, "it is empty", ""));
  } else {
    return fail(
        bad_files(given, "it is not there", "give a path from where vtax is started, or a whole one"));
  }
  Sha256 all;
  for (const auto& [path, file] : tree.files) {
    if (!file.link.empty()) {
      all.add(fmt::format("{} -> {}\n", path, file.link));
      continue;
    }
    const auto hash = sha256_of_file(file.place);
    if (!hash) return fail(hash.error());
    all.add(fmt::format("{} {} {}\n", path, file.runs, *hash));
  }
  tree.hash = all.hex();
  return tree;
}

void ProgramTree::add_below(const fs::path& packages) {
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(packages, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const std::string path = entry->path().lexically_relative(packages).string();
    if (entry->is_directory() && !entry->is_symlink() && !is_left_out(path + "/")) folders.insert(path);
    if (path == kContentListName || (!entry->is_symlink() && !entry->is_regular_file())) continue;
    if (path.starts_with(kDebugFolder) && path.ends_with(".debug")) symbols_.emplace(path, entry->path());
    if (!is_left_out(path)) files.emplace(path, ProgramFile::at(entry->path()));
  }
}

std::uint64_t ProgramTree::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [path, file] : files) sum += file.bytes();
  return sum;
}

std::uint64_t ProgramTree::memory_bytes() const {
  constexpr std::uint64_t kPage = 4 << 10, kEntry = 1 << 10;
  std::uint64_t sum = 0;
  std::set<std::string> all_folders = folders;
  for (const auto& [path, file] : files) {
    sum += kEntry + (file.bytes() + kPage - 1) / kPage * kPage;
    for (fs::path folder = fs::path(path).parent_path(); !folder.empty(); folder = folder.parent_path())
      if (!all_folders.insert(folder.string()).second) break;
  }
  return sum + all_folders.size() * kEntry;
}

template <class Into>
Result<> ProgramTree::put_into(Into& into) const {
  if (const std::uint64_t all = bytes(); all > kMostBytes)
    return fail({"cannot put the program into its systems",
                 fmt::format("its files have {} MiB, and its systems keep {} at most in memory",
                             whole_mib(all), readable_bytes(kMostBytes)),
                 "name fewer packages, leave some out (NAME-), or give a folder with what it needs",
                 ExitCode::usage});
  if (const std::uint64_t all = memory_bytes(); all > kMostMemoryBytes)
    return fail({"cannot put the program into its systems",
                 fmt::format("its {} files take {} MiB of memory, in which each has whole pages, and its "
                             "systems keep {} at most",
                             files.size(), whole_mib(all), readable_bytes(kMostMemoryBytes)),
                 "leave small files out, or keep them in an archive that it reads", ExitCode::usage});
  for (const auto& [path, file] : files) {
    if (!file.link.empty()) {
      if (Result<> put = into.symlink(path, file.link); !put) return put;
      continue;
    }
    auto content = file.content();
    if (!content) return fail(content.error());
    if (Result<> put = into.file(path, std::move(*content), file.runs ? 0755 : 0644); !put) return put;
  }
  for (const std::string& folder : folders)
    if (!files.contains(folder))
      if (Result<> put = into.directory(folder); !put) return put;
  const auto has_below = [&](const std::string& folder) {
    const auto first = files.lower_bound(folder);
    return first != files.end() && first->first.starts_with(folder);
  };
  for (const std::string folder : kMerged)
    if (!has_below(folder + "/") && !files.contains(folder) && has_below("usr/" + folder + "/"))
      if (Result<> put = into.symlink(folder, "usr/" + folder); !put) return put;
  const std::pair<const char*, const char*> names[] = {
      {"etc/passwd",
       "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nnobody:x:65534:65534::/:/bin/"
       "false\nprogram:x:1000:1000::/tmp:/bin/sh\n"},
      {"etc/group", "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\nprogram:x:1000:\n"},
      {"etc/hosts", "127.0.0.1 localhost\n"},
      {"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"}};
  for (const auto& [path, content] : names)
    if (!files.contains(path))
      if (Result<> put = into.file(path, program_text(content), 0644); !put) return put;
  for (const char* folder : {"proc", "dev", "sys", "tmp", "run", "root"})
    if (Result<> put = into.directory(folder); !put) return put;
  return {};
}

namespace {

// Below a system's own root.
struct IntoImage {
  CpioArchive& image;
  static constexpr const char* kRoot = "lab/program/";

  Result<> directory(const std::string& path) {
    image.directory(kRoot + path);
    return {};
  }
  Result<> file(const std::string& path, std::vector<std::uint8_t> content, unsigned permissions) {
    image.file(kRoot + path, std::move(content), permissions);
    return {};
  }
  Result<> symlink(const std::string& path, const std::string& target) {
    image.symlink(kRoot + path, target);
    return {};
  }
};

}  // namespace

Result<> ProgramTree::add_to(CpioArchive& image) const {
  IntoImage into{image};
  return put_into(into);
}

Result<> ProgramTree::write_to(const fs::path& root, uid_t owner) const {
  auto folder = RootedFolder::open(root, owner);
  if (!folder) return fail(folder.error());
  return put_into(*folder);
}

Result<> ProgramTree::write_symbols(const fs::path& folder) const {
  const auto copy = [&](const std::string& path, ByteView content) -> Result<> {
    if (auto made = make_directories((folder / path).parent_path()); !made) return made;
    return write_file(folder / path, content);
  };
  if (auto made = make_directories(folder); !made) return made;
  for (const auto& [path, file] : files) {
    // A link's name is no file's: what is executed is known by where it lies.
    if (!file.link.empty()) continue;
    const auto content = file.content();
    if (!content) return fail(content.error());
    if (!ElfFile::open(*content)) continue;
    if (auto copied = copy(path, *content); !copied) return copied;
    const auto symbols = symbols_.find(debug_file_of(*content));
    if (symbols == symbols_.end()) continue;
    const auto apart = read_file(symbols->second);
    if (!apart) return fail(apart.error());
    if (auto copied = copy(symbols->first, *apart); !copied) return copied;
  }
  return {};
}

}  // namespace vtax::lab
