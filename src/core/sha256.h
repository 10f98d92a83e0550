#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vtax {

// SHA-256 (FIPS 180-4).
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);

  // Ends the message: the digest in lower-case hexadecimal. The object is not to be used afterwards.
  [[nodiscard]] std::string hex();

 private:
  void block(const std::byte* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> partial_{};
  std::size_t partial_size_ = 0;
  std::uint64_t total_ = 0;
};

[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace vtax
