#include "agent/kernel_modules.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "core/descriptor.h"
#include "core/kernel_file.h"

namespace vtax::agent {
namespace {

namespace fs = std::filesystem;

// Where clang built a module with LTO each of its functions has one, with the function's name.
constexpr std::size_t kMostSections = 4096, kLongestSection = 512;

bool holds_code(std::string_view section) {
  return section == ".text" || section.starts_with(".text.") || section == ".noinstr.text";
}

bool is_address(std::string_view text) {
  return text.size() > 2 && text.size() <= 18 && text.starts_with("0x") &&
         text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

}  // namespace

Result<> load_modules(const fs::path& list) {
  std::ifstream file(list);
  if (!file) return fail(system_error("cannot read " + list.string(), errno));
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    const std::string path = line.substr(0, line.find(' '));
    const std::string parameters = path == line ? "" : line.substr(path.size() + 1);
    const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return fail(system_error("cannot open module " + path, errno));
    if (syscall(SYS_finit_module, fd.get(), parameters.c_str(), 0) != 0 && errno != EEXIST) {
      return fail(system_error("cannot load module " + path, errno));
    }
  }
  return {};
}

std::vector<ModuleSection> module_sections(const std::string& domain, const fs::path& root) {
  std::vector<ModuleSection> out;
  std::error_code error;
  for (fs::directory_iterator module(root, error), end; !error && module != end; module.increment(error)) {
    std::error_code none;  // code that is built in has no sections directory
    for (fs::directory_iterator section(module->path() / "sections", none); !none && section != end;
         section.increment(none)) {
      const std::string name = section->path().filename();
      if (!holds_code(name)) continue;
      if (const auto address = read_kernel_file(section->path())) {
        out.push_back({domain, module->path().filename(), name, *address});
      }
    }
  }
  std::sort(out.begin(), out.end(), [](const ModuleSection& a, const ModuleSection& b) {
    return std::tie(a.module, a.section) < std::tie(b.module, b.section);
  });
  return out;
}

nlohmann::json to_json(const std::vector<ModuleSection>& sections) {
  nlohmann::json out = nlohmann::json::array();
  for (const ModuleSection& section : sections) {
    out.push_back({{"domain", section.domain},
                   {"module", section.module},
                   {"section", section.section},
                   {"address", section.address}});
  }
  return out;
}

Result<std::vector<ModuleSection>> sections_from(const JsonFields& fields, const std::string& domain) {
  const auto entries = fields.array("modules", kMostSections);
  if (!entries) return fail(entries.error());
  std::vector<ModuleSection> out;
  for (const nlohmann::json& entry : *entries) {
    if (!entry.is_object()) return fail(fields.bad("'modules' holds something other than objects"));
    const JsonFields section("section of a module", entry);
    const auto module = section.text("module", 64), name = section.text("section", kLongestSection);
    const auto address = section.text("address", 18);
    if (!module) return fail(module.error());
    if (!name) return fail(name.error());
    if (!address) return fail(address.error());
    if (!is_address(*address)) return fail(section.bad("'address' is not hexadecimal"));
    out.push_back({domain, *module, *name, *address});
  }
  return out;
}

}  // namespace vtax::agent
