#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace vtax {

// What the disk workload writes and expects back: sectors of 512 bytes. Each begins with a tag of 8 bytes,
// made from the seed and the sector's number; the rest is a stretch of random bytes that comes back every
// MiB, so that nothing compresses well and no two sectors are the same.
class SectorPattern {
 public:
  static constexpr std::size_t kSector = 512;
  static constexpr std::size_t kPeriod = std::size_t{1} << 20;

  // For pieces of up to `longest` bytes.
  SectorPattern(std::uint64_t seed, std::size_t longest);
  SectorPattern(const SectorPattern&) = delete;
  ~SectorPattern();
  [[nodiscard]] bool valid() const { return table_ != nullptr; }

  // The content of `bytes` at `offset` (both multiples of 512): into `to`, or in place, at 4096 bytes if
  // `offset` is, and good until the next call.
  void fill(std::uint8_t* to, std::size_t bytes, std::uint64_t offset) const;
  [[nodiscard]] const std::uint8_t* content(std::size_t bytes, std::uint64_t offset);

  // Where in `from` the first sector is that does not belong there: by its tag, or by every byte.
  [[nodiscard]] std::optional<std::size_t> wrong_tag(const std::uint8_t* from, std::size_t bytes,
                                                     std::uint64_t offset) const;
  [[nodiscard]] std::optional<std::size_t> wrong_byte(const std::uint8_t* from, std::size_t bytes,
                                                      std::uint64_t offset) const;

 private:
  void tag(std::uint8_t* place, std::size_t bytes, std::uint64_t offset) const;

  std::uint64_t seed_;
  std::size_t size_;
  std::uint8_t* table_ = nullptr;
};

}  // namespace vtax
