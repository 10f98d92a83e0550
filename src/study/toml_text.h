#pragma once

#include "study/toml_plus_plus.h"
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

// TOML files from outside, for the readers that check what stands in them. Only they know toml++.
namespace vtax {

// What a reader's errors have in common.
struct TomlPurpose {
  std::string what;      // "cannot read study file a.toml"
  std::string_view is;   // "a study is a short text file"
  std::string_view see;  // "docs/study-files.md shows one"
};

// Texts above 1 MiB are refused, and lines above 4096 bytes (deep keys would cost stack). Errors: usage, with
// line and column.
[[nodiscard]] Result<toml::table> parse_toml(std::string_view text, const TomlPurpose& purpose);

// The text of a file, at most one byte more than parse_toml takes. Errors: usage; `if_missing` is the advice
// where there is no such file.
[[nodiscard]] Result<std::string> read_toml_text(const std::filesystem::path& file, const std::string& what,
                                                 std::string_view if_missing);

// The text as a basic string of TOML, in its quotes. Of one line: it has no control characters.
[[nodiscard]] std::string toml_string(std::string_view text);

// "text", "an array", ...: for errors.
[[nodiscard]] std::string_view type_name(const toml::node& node);

}  // namespace vtax
