#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_fields.h"
#include "core/result.h"

namespace vtax::agent {

// Loads the modules whose paths `list` names, one a line with its parameters, if any, behind a space, in that
// order. One that is loaded already is no error.
[[nodiscard]] Result<> load_modules(const std::filesystem::path& list);

// Where a loaded module's code is, so that instructions can be charged to its functions.
struct ModuleSection {
  std::string domain;   // "host", "Domain-0", "guest1"
  std::string module;   // "xen_netback"
  std::string section;  // ".text"
  std::string address;  // "0xffffffffc0123000"
};

// Code sections (.text and its relatives, but nothing that is thrown away after initialisation), sorted.
[[nodiscard]] std::vector<ModuleSection> module_sections(const std::string& domain,
                                                         const std::filesystem::path& root = "/sys/module");

[[nodiscard]] nlohmann::json to_json(const std::vector<ModuleSection>& sections);
// From a guest's answer; the domain is the caller's knowledge, not the guest's.
[[nodiscard]] Result<std::vector<ModuleSection>> sections_from(const JsonFields& fields,
                                                               const std::string& domain);

}  // namespace vtax::agent
