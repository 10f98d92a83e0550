#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax::lab {

// One loadable module, ready for an image.
struct Module {
  std::string name;                       // as the kernel has it, with underscores: "xen_netback"
  std::vector<std::uint8_t> object = {};  // the .ko, uncompressed, without_debug_information()
  std::string release = {};               // of the kernel it was built for, from its vermagic
  std::vector<std::string> needs = {};    // modules to load before it, from its "depends="
};

// The modules of one kernel build. They are named by the files (.ko, .ko.gz, .ko.xz, .ko.zst) and linked by
// what each says of itself, so that neither depmod nor modules.dep is needed, which packages do not carry.
class ModuleTree {
 public:
  // `directory`: .../lib/modules/RELEASE, a directory above that with only one release, or a kernel's build
  // tree.
  [[nodiscard]] static Result<ModuleTree> open(const std::filesystem::path& directory);

  // The wanted modules and all that they need, in an order in which they can be loaded: what is needed first,
  // otherwise as given. Built-in ones are left out; those that are not there are an error with their names,
  // but for the optional ones.
  [[nodiscard]] Result<std::vector<Module>> closure(const std::vector<std::string>& wanted,
                                                    const std::vector<std::string>& optional = {}) const;

  // As a module or built in.
  [[nodiscard]] bool has(const std::string& name) const;

 private:
  std::filesystem::path directory_;
  std::map<std::string, std::filesystem::path> files_;  // by name with underscores
  std::set<std::string> builtin_;
};

// What a module says of itself. `file` may be compressed.
[[nodiscard]] Result<Module> read_module(const std::string& name, ByteView file);

}  // namespace vtax::lab
