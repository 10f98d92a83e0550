#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax {

// Strict reading of JSON that someone else wrote: a guest, or a file. No exception leaves here; every error
// names the key. Depth and length are bounded before anything is allocated for it.
class JsonFields {
 public:
  static constexpr std::size_t kMostBytes = 1 << 20;
  static constexpr int kMostDepth = 16;

  // `what` begins every error: "cannot read the plan".
  [[nodiscard]] static Result<JsonFields> parse(std::string what, std::string_view text,
                                                std::size_t most = kMostBytes);
  JsonFields(std::string what, nlohmann::json object) : what_(std::move(what)), object_(std::move(object)) {}

  [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }
  [[nodiscard]] Result<std::uint64_t> number(const char* key, std::uint64_t least, std::uint64_t most) const;
  [[nodiscard]] Result<bool> boolean(const char* key) const;
  [[nodiscard]] Result<std::string> text(const char* key, std::size_t most_length = 256) const;
  [[nodiscard]] Result<JsonFields> object(const char* key) const;
  [[nodiscard]] Result<std::vector<nlohmann::json>> array(const char* key, std::size_t most_entries) const;
  [[nodiscard]] Result<> only(const std::vector<std::string_view>& keys) const;
  [[nodiscard]] const nlohmann::json& json() const { return object_; }
  [[nodiscard]] Error bad(std::string why) const;

 private:
  std::string what_;
  nlohmann::json object_;
};

}  // namespace vtax
