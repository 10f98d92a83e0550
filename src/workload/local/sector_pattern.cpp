#include "workload/local/sector_pattern.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "workload/local/seeded.h"

namespace vtax {

SectorPattern::SectorPattern(std::uint64_t seed, std::size_t longest)
    : seed_(seed), size_(kPeriod + (longest + 4095) / 4096 * 4096) {
  table_ = static_cast<std::uint8_t*>(std::aligned_alloc(4096, size_));
  if (table_ == nullptr) return;
  SplitMix random(seed);
  for (std::size_t i = 0; i < kPeriod; i += 8) {
    const std::uint64_t value = random.next();
    std::memcpy(table_ + i, &value, 8);
  }
  for (std::size_t i = kPeriod; i < size_; i += kPeriod)
    std::memcpy(table_ + i, table_, std::min(kPeriod, size_ - i));
}

SectorPattern::~SectorPattern() {
  std::free(table_);
}

void SectorPattern::tag(std::uint8_t* place, std::size_t bytes, std::uint64_t offset) const {
  for (std::size_t i = 0; i < bytes; i += kSector) {
    const std::uint64_t value = SplitMix::nth(seed_, (offset + i) / kSector);
    std::memcpy(place + i, &value, 8);
  }
}

void SectorPattern::fill(std::uint8_t* to, std::size_t bytes, std::uint64_t offset) const {
  std::memcpy(to, table_ + offset % kPeriod, bytes);
  tag(to, bytes, offset);
}

const std::uint8_t* SectorPattern::content(std::size_t bytes, std::uint64_t offset) {
  std::uint8_t* const place = table_ + offset % kPeriod;
  tag(place, bytes, offset);
  return place;
}

std::optional<std::size_t> SectorPattern::wrong_tag(const std::uint8_t* from, std::size_t bytes,
                                                    std::uint64_t offset) const {
  for (std::size_t i = 0; i < bytes; i += kSector) {
    std::uint64_t value = 0;
    std::memcpy(&value, from + i, 8);
    if (value != SplitMix::nth(seed_, (offset + i) / kSector)) return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> SectorPattern::wrong_byte(const std::uint8_t* from, std::size_t bytes,
                                                     std::uint64_t offset) const {
  if (const auto wrong = wrong_tag(from, bytes, offset)) return wrong;
  const std::uint8_t* const expected = table_ + offset % kPeriod;
  for (std::size_t i = 0; i < bytes; i += kSector)
    if (std::memcmp(from + i + 8, expected + i + 8, kSector - 8) != 0) return i;
  return std::nullopt;
}

}  // namespace vtax
