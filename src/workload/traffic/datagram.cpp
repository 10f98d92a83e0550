#include "workload/traffic/datagram.h"

#include <algorithm>
#include <cstdlib>

namespace vtax {

// A ring of bits, one a number; numbers that leave the window are forgotten.
bool ReceptionMeter::mark(std::uint64_t number) {
  if (number >= highest_) {
    const std::uint64_t from = number - highest_ >= kWindow ? number + 1 - kWindow : highest_;
    for (std::uint64_t i = from; i < number; ++i) bits_[i % kWindow / 64] &= ~(std::uint64_t{1} << (i % 64));
    bits_[number % kWindow / 64] |= std::uint64_t{1} << (number % 64);
    highest_ = number + 1;
    return true;
  }
  if (highest_ - number > kWindow) return false;
  std::uint64_t& word = bits_[number % kWindow / 64];
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  const bool fresh = (word & bit) == 0;
  word |= bit;
  return fresh;
}

void ReceptionMeter::take(const DatagramHeader& header, std::int64_t now_ns) {
  const bool late = header.number < highest_;
  const bool fresh = mark(header.number);
  if (header.number < first_) return;
  if (!fresh) {
    ++seen_.duplicates;
    return;
  }
  ++seen_.received;
  if (late) ++seen_.reordered;
  const std::int64_t transit = now_ns - header.sent_ns;
  if (has_transit_) {
    const auto difference = static_cast<double>(std::abs(transit - previous_transit_));
    seen_.jitter_ns += (difference - seen_.jitter_ns) / 16;
  }
  has_transit_ = true;
  previous_transit_ = transit;
}

void ReceptionMeter::restart() {
  seen_ = Reception{};
  first_ = highest_;
}

std::uint64_t ReceptionMeter::lost_of(std::uint64_t sent) const {
  const std::uint64_t counted = sent > first_ ? sent - first_ : 0;
  return counted > seen_.received ? counted - seen_.received : 0;
}

Reception ReceptionMeter::so_far() const {
  Reception out = seen_;
  out.lost = lost_of(highest_);
  return out;
}

void ReceptionMeter::finish(std::uint64_t sent) {
  seen_.lost = lost_of(sent);
}

}  // namespace vtax
