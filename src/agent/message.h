#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vtax::agent {

// One line for the host side: "@vtax TYPE LENGTH CRC32 JSON\n" (docs/design/architecture.md, "Messages from
// the agent"). LENGTH: of the JSON in bytes; CRC32: zlib's polynomial over the JSON, eight hexadecimal
// digits.
[[nodiscard]] std::string frame(std::string_view type, const nlohmann::json& body);

}  // namespace vtax::agent
