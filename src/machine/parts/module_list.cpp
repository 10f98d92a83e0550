#include "machine/parts/module_list.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>

#include "core/elf_file.h"
#include "core/files.h"
#include "machine/parts/debug_information.h"
#include "machine/parts/decompress.h"
#include "machine/parts/kernel_image.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestModule = std::uint64_t{128} << 20;

std::string kernel_name(std::string_view file_name) {
  std::string name(file_name.substr(0, file_name.find(".ko")));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

bool is_module_file(std::string_view name) {
  return name.ends_with(".ko") || name.ends_with(".ko.gz") || name.ends_with(".ko.xz") ||
         name.ends_with(".ko.zst");
}

// "key=value" strings, each ended by NUL (include/linux/moduleparam.h, __MODULE_INFO).
std::string_view modinfo_of(ByteView object) {
  const auto elf = ElfFile::open(object);
  const ElfFile::Section* section = elf ? elf->section(".modinfo") : nullptr;
  if (section == nullptr) return {};
  const ByteView content = elf->content(*section);
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

std::string_view value_of(std::string_view modinfo, std::string_view key) {
  while (!modinfo.empty()) {
    const std::string_view entry = modinfo.substr(0, modinfo.find('\0'));
    modinfo.remove_prefix(std::min(modinfo.size(), entry.size() + 1));
    if (entry.starts_with(key)) return entry.substr(key.size());
  }
  return {};
}

// Where the modules lie below `directory`, as its user may have meant it.
Result<fs::path> release_directory(const fs::path& directory, const std::string& what) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) return fail({what, "it is not a directory", ""});
  for (const fs::path& above : {directory / "lib" / "modules", directory / "usr" / "lib" / "modules"}) {
    std::vector<fs::path> releases;
    for (const auto& entry : fs::directory_iterator(above, error))
      if (entry.is_directory(error)) releases.push_back(entry.path());
    if (releases.size() == 1) return releases[0];
    if (releases.size() > 1)
      return fail({what, "it holds the modules of several kernels",
                   "name the directory of one, for example " + std::min(releases[0], releases[1]).string()});
  }
  return directory;
}

}  // namespace

Result<Module> read_module(const std::string& name, ByteView file) {
  const std::string what = "cannot use the kernel module " + name;
  auto object = decompress(file, what, kLargestModule);
  if (!object) return fail(object.error());
  Module module{name};
  const std::string_view modinfo = modinfo_of(*object);
  if (modinfo.empty())
    return fail({what, "it is " + describe_file(*object) + " without a module's description", ""});
  const std::string_view vermagic = value_of(modinfo, "vermagic=");
  module.release = vermagic.substr(0, vermagic.find(' '));
  std::string_view depends = value_of(modinfo, "depends=");
  while (!depends.empty()) {
    const std::string_view one = depends.substr(0, depends.find(','));
    depends.remove_prefix(std::min(depends.size(), one.size() + 1));
    if (!one.empty()) module.needs.push_back(kernel_name(one));
  }
  module.object = without_debug_information(std::move(*object));
  return module;
}

Result<ModuleTree> ModuleTree::open(const fs::path& directory) {
  const std::string what = "cannot take kernel modules from " + directory.string();
  const auto found = release_directory(directory, what);
  if (!found) return fail(found.error());
  ModuleTree tree;
  tree.directory_ = *found;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(*found, fs::directory_options::skip_permission_denied, error),
       end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!is_module_file(name)) continue;
    // A build tree may have the same name twice (tools/testing): the first in the alphabet, whatever the
    // disk's order.
    const auto [known, is_new] = tree.files_.try_emplace(kernel_name(name), entry->path());
    if (!is_new) known->second = std::min(known->second, entry->path());
  }
  if (error) return fail(system_error(what, error.value()));
  const auto builtin = read_text(*found / "modules.builtin");
  if (tree.files_.empty() && !builtin) return fail({what, "there is no module in it", ""});
  std::string_view rest = builtin ? std::string_view(*builtin) : std::string_view();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    tree.builtin_.insert(kernel_name(line.substr(line.rfind('/') + 1)));
  }
  return tree;
}

bool ModuleTree::has(const std::string& name) const {
  return files_.contains(kernel_name(name)) || builtin_.contains(kernel_name(name));
}

Result<std::vector<Module>> ModuleTree::closure(const std::vector<std::string>& wanted,
                                                const std::vector<std::string>& optional) const {
  std::vector<Module> ordered;
  std::set<std::string> seen;
  std::string missing;
  std::optional<Error> failure;
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    if (failure || builtin_.contains(name) || !seen.insert(name).second) return;
    const auto file = files_.find(name);
    if (file == files_.end()) {
      missing += (missing.empty() ? "" : ", ") + name;
      return;
    }
    const auto bytes = read_file(file->second, kLargestModule);
    auto module = bytes ? read_module(name, *bytes) : Result<Module>(fail(bytes.error()));
    if (!module) {
      failure = module.error();
      return;
    }
    for (const std::string& need : module->needs) visit(need);
    ordered.push_back(std::move(*module));
  };
  for (const std::string& name : wanted) visit(kernel_name(name));
  for (const std::string& name : optional)
    if (files_.contains(kernel_name(name))) visit(kernel_name(name));
  if (failure) return fail(*failure);
  if (!missing.empty())
    return fail(
        {"cannot take kernel modules from " + directory_.string(), "these are not there: " + missing,
         "build the kernel with them, as modules or built in (then modules.builtin has to list them)"});
  return ordered;
}

}  // namespace vtax::lab
