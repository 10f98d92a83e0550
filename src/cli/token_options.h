#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "core/result.h"
#include "workload/session/secret.h"

namespace vtax {

// Adds --token-file, and the former --token, which is refused with words.
void add_secret(CLI::App& app, std::string& token, std::string& file);

// Everybody on a machine sees every command line (ps).
[[nodiscard]] Result<> no_token_in_arguments(const std::string& token);

// From the file, or from VTAX_TOKEN in the environment. Error: there is none.
[[nodiscard]] Result<Secret> secret_of(const std::string& token, const std::string& file);

}  // namespace vtax
