#include "query/comparable_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "record/trial.h"

namespace vtax {
namespace {

using nlohmann::json;

constexpr std::size_t kHashDigits = 12;
constexpr int kLevels = 8;  // settings have four

json object_of(const std::string& text) {
  json parsed = json::parse(text, nullptr, false);
  return parsed.is_object() ? parsed : json::object();
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void join_lists(json& value, int levels) {
  const auto is_single = [](const json& entry) { return !entry.is_structured(); };
  if (value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), is_single)) {
    std::string joined;
    for (const json& entry : value) joined += (joined.empty() ? "" : ", ") + text_of(entry);
    value = joined;
  } else if (value.is_structured() && levels > 0) {
    for (json& entry : value) join_lists(entry, levels - 1);
  }
}

// ["-cpu", "max,-smap"] as {"-cpu max": "given", "-cpu -smap": "given"}: one word more or less is one
// difference.
void take_apart(json& object, const char* list) {
  const auto found = object.find(list);
  if (found == object.end() || !found->is_array()) return;
  json parts = json::object();
  std::string option;
  for (const json& argument : *found) {
    if (!argument.is_string()) return;
    const std::string text = text_of(argument);
    if (text.starts_with('-')) {
      option = text;
      parts[option] = "given";
      continue;
    }
    std::string word;
    for (const char letter : text + ",") {
      if (letter != ',' && letter != ' ') {
        word += letter;
      } else if (!word.empty()) {
        parts[option + " " + std::exchange(word, {})] = "given";
      }
    }
  }
  *found = std::move(parts);
}

// [{KEY: "a", VALUE: "b", "sha256": "0123..."}] as {"a": "b (0123...)"}. A list of another form stays.
void index_by(json& object, const char* list, const char* key, const char* value) {
  const auto found = object.find(list);
  if (found == object.end() || !found->is_array()) return;
  json indexed = json::object();
  for (const json& entry : *found) {
    if (!entry.is_object()) return;
    for (const char* field : {key, value, "sha256"})
      if (!entry.contains(field) || !entry[field].is_string()) return;
    const std::string shown = text_of(entry[value]);
    indexed[text_of(entry[key])] =
        shown.substr(shown.rfind('/') + 1) + " (" + text_of(entry["sha256"]).substr(0, kHashDigits) + ")";
  }
  // An empty object would be a difference of its own.
  if (indexed.empty())
    object.erase(found);
  else
    *found = std::move(indexed);
}

}  // namespace

std::string comparable_settings(const std::string& settings) {
  json object = object_of(settings);
  // What a run was made from is told with the provenance; what a paper says changes no measurement.
  for (const char* left_out :
       {"kernel", "modules", "xen", "made_from", "published", "merged_from", kAskedFor})
    object.erase(left_out);
  join_lists(object, kLevels);
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string comparable_provenance(const std::string& provenance) {
  json object = object_of(provenance);
  index_by(object, "packages", "name", "version");
  index_by(object, "own_files", "part", "path");
  take_apart(object, "emulator_arguments");
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace vtax
