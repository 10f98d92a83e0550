#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

// The command line for other programs: manual pages and completions, made from the same options as --help.
namespace vtax {

// Writes man1/vtax.1, man1/vtax-VERB.1 of every verb and verb of a group, and completions for three shells
// (vtax.bash, _vtax, vtax.fish) into `folder`. `date`: of the pages, "2026-11-29". Errors: system errors.
[[nodiscard]] Result<> describe(const CLI::App& app, const std::filesystem::path& folder,
                                const std::string& date);

// One page in the language of man(7). `name`: "vtax run", likewise `others`, which it refers to.
[[nodiscard]] std::string manual_page(const CLI::App& app, const std::string& name, const std::string& date,
                                      const std::vector<std::string>& others);

[[nodiscard]] std::string bash_completion(const CLI::App& app);
[[nodiscard]] std::string zsh_completion(const CLI::App& app);
[[nodiscard]] std::string fish_completion(const CLI::App& app);

}  // namespace vtax
