#include "core/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

namespace vtax {
namespace {

// The parser recurses; a few bytes of "[[[[" must not reach the end of the stack.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > JsonFields::kMostDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Error JsonFields::bad(std::string why) const {
  return Error{what_, std::move(why), "", ExitCode::trial_failed};
}

Result<JsonFields> JsonFields::parse(std::string what, std::string_view text, std::size_t most) {
  JsonFields fields(std::move(what), nlohmann::json());
  if (text.size() > most) return fail(fields.bad(fmt::format("longer than {} bytes", most)));
  if (too_deep(text)) return fail(fields.bad("nested too deep"));
  fields.object_ = nlohmann::json::parse(text, nullptr, false);
  if (fields.object_.is_discarded()) return fail(fields.bad("not JSON"));
  if (!fields.object_.is_object()) return fail(fields.bad("not a JSON object"));
  return fields;
}

Result<std::uint64_t> JsonFields::number(const char* key, std::uint64_t least, std::uint64_t most) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return fail(bad(fmt::format("'{}' is missing", key)));
  if (!found->is_number_unsigned()) return fail(bad(fmt::format("'{}' is not a whole number", key)));
  const auto value = found->get<std::uint64_t>();
  if (value < least || value > most) {
    return fail(bad(fmt::format("'{}' is {}, not between {} and {}", key, value, least, most)));
  }
  return value;
}

Result<bool> JsonFields::boolean(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return fail(bad(fmt::format("'{}' is missing", key)));
  if (!found->is_boolean()) return fail(bad(fmt::format("'{}' is not true or false", key)));
  return found->get<bool>();
}

Result<std::string> JsonFields::text(const char* key, std::size_t most_length) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return fail(bad(fmt::format("'{}' is missing", key)));
  if (!found->is_string()) return fail(bad(fmt::format("'{}' is not a string", key)));
  const auto& value = found->get_ref<const std::string&>();
  if (value.size() > most_length) return fail(bad(fmt::format("'{}' is longer than {}", key, most_length)));
  return value;
}

Result<JsonFields> JsonFields::object(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return fail(bad(fmt::format("'{}' is missing", key)));
  if (!found->is_object()) return fail(bad(fmt::format("'{}' is not an object", key)));
  return JsonFields(what_, *found);
}

Result<std::vector<nlohmann::json>> JsonFields::array(const char* key, std::size_t most_entries) const {
  const auto found = object_.find(key);
  if (found == object_.end()) return fail(bad(fmt::format("'{}' is missing", key)));
  if (!found->is_array()) return fail(bad(fmt::format("'{}' is not an array", key)));
  if (found->size() > most_entries) {
    return fail(bad(fmt::format("'{}' has more than {} entries", key, most_entries)));
  }
  return std::vector<nlohmann::json>(found->begin(), found->end());
}

Result<> JsonFields::only(const std::vector<std::string_view>& keys) const {
  for (const auto& [key, value] : object_.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return fail(bad(fmt::format("'{}' is not known", key.substr(0, 64))));
    }
  }
  return {};
}

}  // namespace vtax
