#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace vtax {

using ByteView = std::span<const std::uint8_t>;

// Whether `length` bytes from `offset` lie within `size` bytes; safe against overflow.
[[nodiscard]] constexpr bool fits(std::size_t size, std::uint64_t offset, std::uint64_t length) {
  return offset <= size && length <= size - offset;
}

// The little-endian integer at `offset`, which the caller has checked with fits(). vtax runs on little-endian
// machines only, so it is a copy.
template <class T>
[[nodiscard]] T load(ByteView bytes, std::size_t offset) {
  static_assert(std::is_integral_v<T>);
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace vtax
