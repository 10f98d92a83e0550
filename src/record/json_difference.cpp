#include "record/json_difference.h"

#include <nlohmann/json.hpp>

#include "core/readable.h"

namespace vtax {

std::vector<JsonDifference> json_differences(const std::string& left, const std::string& right) {
  const auto flat = [](const std::string& text) {
    const auto parsed = nlohmann::json::parse(text.empty() ? "{}" : text, nullptr, false);
    // Flattened, an empty object would be one value.
    return parsed.is_object() && !parsed.empty() ? parsed.flatten() : nlohmann::json::object();
  };
  const nlohmann::json a = flat(left);
  const nlohmann::json b = flat(right);
  nlohmann::json paths = a;
  paths.update(b);
  std::vector<JsonDifference> differences;
  for (const auto& [path, value] : paths.items()) {
    const std::string shown_a = a.contains(path) ? a[path].dump() : "nothing";
    const std::string shown_b = b.contains(path) ? b[path].dump() : "nothing";
    if (shown_a != shown_b) differences.push_back({printable(path), printable(shown_a), printable(shown_b)});
  }
  return differences;
}

}  // namespace vtax
