#pragma once

#include <algorithm>
#include <cstdint>

#include "simulate/event_loop.h"

namespace vtax::simulate {

// One direction of a link: frames go one after the other, and arrive a latency later.
class Wire {
 public:
  // 0: as fast as frames come.
  Wire(EventLoop& loop, double bits_per_second, Ns latency)
      : loop_(loop), ns_per_byte_(bits_per_second > 0 ? 8e9 / bits_per_second : 0), latency_(latency) {}

  void send(std::uint64_t bytes, Receiver& to, std::uint64_t word) {
    free_at_ = std::max(free_at_, loop_.now()) + static_cast<Ns>(static_cast<double>(bytes) * ns_per_byte_);
    loop_.at(free_at_ + latency_, to, word);
  }

 private:
  EventLoop& loop_;
  double ns_per_byte_;
  Ns latency_;
  Ns free_at_ = 0;
};

}  // namespace vtax::simulate
