#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace vtax {

// SHA-256 as FIPS 180-4 defines it (section 6.2; test vectors of its example papers in the test). In parts:
//   Sha256 hash; hash.add(a); hash.add(b); hash.hex();
class Sha256 {
 public:
  Sha256();
  void add(ByteView bytes);
  void add(std::string_view text) {
    add(ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

  // 64 lower-case hexadecimal digits; ends the message: nothing can be added afterwards.
  [[nodiscard]] std::string hex();

 private:
  void block(const std::uint8_t* bytes);

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t length_ = 0;  // bytes added
};

[[nodiscard]] std::string sha256_hex(std::string_view text);
[[nodiscard]] std::string sha256_hex(ByteView bytes);

// Of a file of any size, read piece by piece.
[[nodiscard]] Result<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace vtax
