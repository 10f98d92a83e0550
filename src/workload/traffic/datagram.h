#pragma once

#include <cstdint>
#include <vector>

#include "workload/traffic/flow.h"

namespace vtax {

// The first bytes of every datagram of a stream, little endian.
struct DatagramHeader {
  std::uint64_t number = 0;  // from 0 on
  std::int64_t sent_ns = 0;  // the sender's monotonic clock; only differences mean anything to the receiver
};
static_assert(sizeof(DatagramHeader) == 16);

// The number of the datagrams that say the stream is over; sent_ns is then the number of datagrams sent.
inline constexpr std::uint64_t kLastDatagram = ~std::uint64_t{0};

// Follows the numbers of a datagram stream: loss, order, duplicates, jitter.
class ReceptionMeter {
 public:
  // One datagram that arrived at `now_ns` of this side's monotonic clock. A number beyond `window` before the
  // highest seen counts as a duplicate.
  void take(const DatagramHeader& header, std::int64_t now_ns);
  // From here on only later datagrams count: the warm-up is over.
  void restart();
  // The stream is over after `sent` datagrams.
  void finish(std::uint64_t sent);

  [[nodiscard]] const Reception& reception() const { return seen_; }
  // While it goes on: lost is every number below the highest one that has not come yet.
  [[nodiscard]] Reception so_far() const;
  [[nodiscard]] std::uint64_t highest() const { return highest_; }  // number seen, plus one

  static constexpr std::uint64_t kWindow = 1 << 16;

 private:
  [[nodiscard]] bool mark(std::uint64_t number);  // whether it is new
  [[nodiscard]] std::uint64_t lost_of(std::uint64_t sent) const;

  Reception seen_;
  std::uint64_t first_ = 0;    // of those that count
  std::uint64_t highest_ = 0;  // highest number seen, plus one
  std::int64_t previous_transit_ = 0;
  bool has_transit_ = false;
  std::vector<std::uint64_t> bits_ = std::vector<std::uint64_t>(kWindow / 64);
};

}  // namespace vtax
