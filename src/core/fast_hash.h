#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

struct XXH3_state_s;

namespace vtax {

// XXH3 of 128 bits (libxxhash): whether content is what it was, at the speed at which it is read. It tells
// damage, not malice: that is SHA-256's (core/sha256.h). In parts, as Sha256.
class FastHash {
 public:
  FastHash();
  void add(ByteView bytes);
  void add(std::string_view text) {
    add(ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  // Of all that was added: 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

inline constexpr std::size_t kFastHashDigits = 32;

// Adds the first `length` bytes of an open file; its position stays. Error: it cannot be read, or ends
// sooner. `what` as in Error.
[[nodiscard]] Result<> add_file(FastHash& hash, int fd, std::uint64_t length, const std::string& what);

[[nodiscard]] Result<std::string> fast_hash_of_file(const std::filesystem::path& file);

}  // namespace vtax
