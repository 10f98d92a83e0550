#include "agent/message.h"

#include <fmt/format.h>
#include <zlib.h>

namespace vtax::agent {

std::string frame(std::string_view type, const nlohmann::json& body) {
  const std::string json = body.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  const std::vector<unsigned char> bytes(json.begin(), json.end());
  const auto crc = crc32(0, bytes.data(), static_cast<unsigned>(bytes.size()));
  return fmt::format("@vtax {} {} {:08x} {}\n", type, json.size(), crc, json);
}

}  // namespace vtax::agent
