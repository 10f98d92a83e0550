#pragma once

#include <string>

// A run's JSON texts in a form whose differences a person can read (record/json_difference.h). What is no
// JSON object becomes an empty one.
namespace vtax {

// Settings: a list of values is one text, "on, off". Without the user's own files, which the provenance knows
// better: with their content's hash.
[[nodiscard]] std::string comparable_settings(const std::string& settings);

// Provenance: packages by name and own files by part, so that one more does not shift all behind it; each as
// its version or file name with the first digits of its SHA-256. The emulator's command line word by word.
[[nodiscard]] std::string comparable_provenance(const std::string& provenance);

}  // namespace vtax
