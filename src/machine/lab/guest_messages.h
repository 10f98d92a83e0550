#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax::lab {

// One message of the agent: docs/design/architecture.md, "Messages from the agent".
struct GuestMessage {
  std::string type;  // "ready", "progress", "result" or "error"
  std::string json;  // as sent; its checksum was right, its content is still hostile
};

// Takes the guest's bytes as they come and gives whole messages. Lines that are no frame are skipped
// (firmware writes to the same port); a frame that is damaged or too long is an error, since what it said is
// lost.
class GuestMessages {
 public:
  static constexpr std::size_t kMaxMessageBytes = 1U << 20;

  Result<> feed(std::string_view bytes);
  [[nodiscard]] std::optional<GuestMessage> next();

 private:
  Result<> line(std::string_view text);

  std::string partial_;
  std::deque<GuestMessage> messages_;
};

}  // namespace vtax::lab
