#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "machine/parts/apt.h"

namespace vtax::lab {

// [{"name": ..., "version": ..., "sha256": ..., "size_bytes": ...}]: provenance, in the cache and in run
// files.
[[nodiscard]] nlohmann::json to_json(const std::vector<Package>& packages);

// Empty when the list is damaged.
[[nodiscard]] std::vector<Package> packages_from(const nlohmann::json& list);

// The text of a field; empty when there is none.
[[nodiscard]] std::string text_field(const nlohmann::json& object, const char* key);

}  // namespace vtax::lab
