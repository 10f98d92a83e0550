#include "machine/parts/package_json.h"

namespace vtax::lab {

using nlohmann::json;

std::string text_field(const json& object, const char* key) {
  const auto field = object.find(key);
  return field != object.end() && field->is_string() ? field->get<std::string>() : "";
}

json to_json(const std::vector<Package>& packages) {
  json list = json::array();
  for (const Package& package : packages)
    list.push_back({{"name", package.name},
                    {"version", package.version},
                    {"sha256", package.sha256},
                    {"size_bytes", package.size_bytes}});
  return list;
}

std::vector<Package> packages_from(const json& list) {
  std::vector<Package> packages;
  if (!list.is_array()) return packages;
  for (const json& entry : list) {
    if (!entry.is_object()) return {};
    const auto size = entry.find("size_bytes");
    packages.push_back({text_field(entry, "name"), text_field(entry, "version"), text_field(entry, "sha256"),
                        size != entry.end() && size->is_number_unsigned() ? size->get<std::uint64_t>() : 0});
  }
  return packages;
}

}  // namespace vtax::lab
