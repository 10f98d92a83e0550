#pragma once

#include <string>
#include <vector>

namespace vtax {

// Two JSON objects' values that differ, by JSON pointer ("/factors/platform/1"); texts are printable JSON,
// "nothing" where one side has none. What is no JSON object counts as an empty one.
struct JsonDifference {
  std::string path, left, right;
};

[[nodiscard]] std::vector<JsonDifference> json_differences(const std::string& left, const std::string& right);

}  // namespace vtax
