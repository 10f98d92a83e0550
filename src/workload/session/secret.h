#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vtax {

// What a server and its clients share. It never crosses the network: each side shows that it has it by an
// HMAC (RFC 2104, SHA-256) over the other's random number.
class Secret {
 public:
  // 8 to 256 printable characters.
  [[nodiscard]] static Result<Secret> from_text(std::string_view text);
  // The first line of a file; one that others may read or write, or that is another user's, is refused.
  [[nodiscard]] static Result<Secret> from_file(const std::string& path);
  // 32 hexadecimal digits from the kernel's random numbers.
  [[nodiscard]] static Result<Secret> make();

  [[nodiscard]] const std::string& text() const { return text_; }

  // `role` keeps one side's proof from being played back as the other's.
  [[nodiscard]] std::string proof(std::string_view role, std::string_view challenge) const;
  [[nodiscard]] bool proves(std::string_view role, std::string_view challenge, std::string_view proof) const;

 private:
  explicit Secret(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// RFC 2104 with SHA-256, in hexadecimal digits (test vectors of RFC 4231 in the test).
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view message);

// `bytes` from getrandom(2), in hexadecimal digits.
[[nodiscard]] Result<std::string> random_text(std::size_t bytes);

}  // namespace vtax
