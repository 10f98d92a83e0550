#include "machine/parts/xen_tree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/elf_file.h"
#include "core/files.h"
#include "core/readable.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/shared_libraries.h"
#include "machine/parts/xen_version.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

Error bad_tree(const fs::path& tree, std::string why, std::string next) {
  return {"cannot use " + printable(tree.string()) + " as the lab's Xen", std::move(why), std::move(next),
          ExitCode::usage};
}

// boot/xen.gz, a link to the newest that was installed, or the only one.
Result<fs::path> hypervisor_below(const fs::path& root) {
  std::error_code error;
  if (const fs::path newest = root / "boot/xen.gz"; fs::is_regular_file(newest, error)) return newest;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(root / "boot", error)) {
    const std::string name = entry.path().filename().string();
    const bool is_one = name == "xen" || (name.starts_with("xen-") && name.ends_with(".gz"));
    if (is_one && !entry.is_symlink(error) && entry.is_regular_file(error)) found.push_back(entry.path());
  }
  if (found.empty())
    return fail(bad_tree(root, "it has neither boot/xen.gz nor another boot/xen-*.gz",
                         "give xen.gz itself, or the folder dist/install that Xen's 'make dist' makes"));
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    return fail(bad_tree(
        root, fmt::format("it has several hypervisors: {} and {}", found[0].string(), found[1].string()),
        "leave one in boot, or name it boot/xen.gz"));
  return found.front();
}

bool is_folder_of_libraries(const std::string& name) {
  return name == "lib" || name == "lib64" || name == "x86_64-linux-gnu";
}

// Also the scripts that stand in for xl where several Xens are installed.
bool is_compiled(const fs::path& file) {
  const auto content = read_file(file);
  return content && ElfFile::open(*content);
}

Result<> add_toolstack_program(XenTree& tree, const fs::path& root, const fs::path& file) {
  if (!is_compiled(file)) return {};
  const auto [known, is_new] = tree.programs.try_emplace(file.filename().string(), file);
  if (is_new) return {};
  return fail(
      bad_tree(root,
               fmt::format("it has two programs {}: {} and {}", file.filename().string(),
                           std::min(known->second, file).string(), std::max(known->second, file).string()),
               "give the tree of one build: remove dist, then 'make dist'"));
}

Result<> add_toolstack_files(XenTree& tree, const fs::path& root) {
  std::error_code error;
  for (const char* top : {"usr", "opt"}) {
    if (!fs::is_directory(root / top, error)) continue;
    for (fs::recursive_directory_iterator
             entry(root / top, fs::directory_options::skip_permission_denied, error),
         end;
         !error && entry != end; entry.increment(error)) {
      const fs::path& file = entry->path();
      const std::string name = file.filename().string(), folder = file.parent_path().filename().string();
      const bool is_program =
          std::find(kToolstackPrograms.begin(), kToolstackPrograms.end(), name) != kToolstackPrograms.end();
      std::error_code ignored;
      if (is_program && (folder == "bin" || folder == "sbin") && entry->is_regular_file(ignored))
        if (auto added = add_toolstack_program(tree, root, file); !added) return added;
      if (is_folder_of_libraries(folder) && name.find(".so") != std::string::npos &&
          entry->is_regular_file(ignored)) {
        // Whatever the disk's order.
        const auto [known, is_new] = tree.libraries.try_emplace(name, file);
        if (!is_new) known->second = std::min(known->second, file);
      }
    }
    if (error) return fail(system_error("cannot read " + (root / top).string(), error.value()));
  }
  return {};
}

// Of libxenlight.so.4.20, whose name has the version of its Xen.
Result<std::string> version_of_toolstack(const XenTree& tree, const fs::path& root) {
  constexpr std::string_view kBefore = "libxenlight.so.";
  const auto xl = read_file(tree.programs.at("xl"));
  if (!xl) return fail(xl.error());
  for (const std::string& name : needed_libraries(*xl))
    if (name.starts_with(kBefore)) return name.substr(kBefore.size());
  return fail(bad_tree(root, "its xl is not linked with libxenlight.so.VERSION",
                       "give the tree of a Xen 4.17 or later"));
}

Result<> expect_one_version(const XenTree& tree, const fs::path& root) {
  const auto bytes = read_file(tree.hypervisor);
  if (!bytes) return fail(bytes.error());
  const std::string name = tree.hypervisor.filename().string();
  const auto xen = read_xen(*bytes, name);
  if (!xen) return fail(xen.error());
  const auto version = version_of_xen(*xen, name);
  if (!version || *version == tree.version) return {};
  return fail(bad_tree(root,
                       fmt::format("its hypervisor {} is Xen {}, and its toolstack {} is Xen {}'s, which "
                                   "speaks to no other",
                                   tree.hypervisor.lexically_relative(root).string(), *version,
                                   tree.programs.at("xl").lexically_relative(root).string(), tree.version),
                       "give a tree with both of one build"));
}

fs::path library_below(const fs::path& root, const std::string& name) {
  std::error_code ignored;
  for (const std::string& directory : library_directories())
    if (fs::is_regular_file(root / directory / name, ignored)) return root / directory / name;
  return {};
}

}  // namespace

Result<XenTree> XenTree::open(const fs::path& given) {
  std::error_code error;
  if (!fs::is_directory(given, error)) return XenTree{given};
  fs::path root = given;
  if (!fs::is_directory(root / "boot", error) && fs::is_directory(root / "install/boot", error))
    root /= "install";
  const auto hypervisor = hypervisor_below(root);
  if (!hypervisor) return fail(hypervisor.error());
  XenTree tree{*hypervisor};
  if (auto added = add_toolstack_files(tree, root); !added) return fail(added.error());
  if (!tree.has_toolstack()) return tree;
  std::vector<std::string> missing;
  for (const char* name : kToolstackPrograms)
    if (!tree.programs.contains(name)) missing.emplace_back(name);
  if (!missing.empty())
    return fail(bad_tree(root, fmt::format("its toolstack lacks {}", fmt::join(missing, ", ")),
                         "give all that 'make dist' makes, or boot/xen.gz alone, which takes Debian's"));
  auto version = version_of_toolstack(tree, root);
  if (!version) return fail(version.error());
  tree.version = std::move(*version);
  if (auto fits = expect_one_version(tree, root); !fits) return fail(fits.error());
  return tree;
}

Result<std::map<std::string, fs::path>> toolstack_files(const XenTree& tree, const fs::path& packages) {
  std::vector<fs::path> programs;
  std::map<std::string, fs::path> files;
  for (const auto& [name, file] : tree.programs) {
    programs.push_back(file);
    files[kOwnToolstack + name] = file;
  }
  const auto find = [&](const std::string& name) {
    if (const auto own = tree.libraries.find(name); own != tree.libraries.end()) return own->second;
    // Another build's would speak to another hypervisor.
    if (name.starts_with("libxen") || name.starts_with("libxl")) return fs::path();
    const fs::path found = library_below(packages, name);
    return found.empty() ? library_below("/", name) : found;
  };
  auto libraries = library_closure(programs, find);
  if (!libraries) return fail(libraries.error());
  // The C library loads it by itself when a thread ends.
  constexpr const char* kUnwinder = "libgcc_s.so.1";
  if (const fs::path unwinder = find(kUnwinder); !unwinder.empty())
    libraries->found.try_emplace(kUnwinder, unwinder);
  const fs::path& hypervisor = tree.hypervisor;
  if (!libraries->missing.empty())
    return fail(bad_tree(
        hypervisor.parent_path().parent_path(),
        fmt::format(
            "its toolstack needs libraries that are neither in it nor in the packages of its base nor "
            "on this computer: {}",
            fmt::join(libraries->missing, ", ")),
        "put them into the tree's usr/lib, or build Xen where vtax runs"));
  const auto unmet = unmet_versions(programs, libraries->found);
  if (!unmet) return fail(unmet.error());
  if (!unmet->empty())
    return fail(bad_tree(hypervisor.parent_path().parent_path(), unmet->front(),
                         "name the release where it was built as the stack's base, or build Xen there"));
  for (const auto& [name, file] : libraries->found) {
    files["usr/lib/x86_64-linux-gnu/" + name] = file;
    if (name == "ld-linux-x86-64.so.2") files["lib64/" + name] = file;
  }
  return files;
}

}  // namespace vtax::lab
