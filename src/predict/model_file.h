#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>

#include "core/result.h"
#include "predict/model.h"

// A model as a file: JSON that a person can read, and that says what it was made of. docs/models.md has its
// form.
namespace vtax::predict {

inline constexpr std::uint64_t kModelVersion = 2;

void write_model(const Model& model, std::string_view vtax_version, std::ostream& out);

// The file is taken as foreign. Errors: no file, no model, a newer version (usage); numbers that cannot be.
[[nodiscard]] Result<Model> read_model(const std::filesystem::path& file);
[[nodiscard]] Result<Model> parse_model(std::string_view text, const std::string& shown_name);

}  // namespace vtax::predict
