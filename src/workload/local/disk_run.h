#pragma once

#include <chrono>
#include <cstdint>

#include "core/histogram.h"
#include "workload/local/block_order.h"
#include "workload/local/disk.h"
#include "workload/local/disk_file.h"

namespace vtax {

using DiskClock = std::chrono::steady_clock;

// What both ways of reaching the disk share: which block is next, what is in it, and what was done.
struct DiskRun {
  DiskRun(const DiskOptions& asked, const DiskFile& own_file, SectorPattern& own_pattern)
      : options(asked), file(own_file), pattern(own_pattern), order(order_of(0)) {}

  // The next block's offset, or nothing when all that was asked for is under way.
  [[nodiscard]] std::optional<std::uint64_t> next_offset();
  // Between two passes over the file; not before the first or after the last.
  [[nodiscard]] bool between_passes() const { return next_ == order.blocks() && issued_ < options.blocks; }
  // The time, where it is measured.
  [[nodiscard]] DiskClock::time_point now() const {
    return options.window ? DiskClock::time_point() : DiskClock::now();
  }
  // Counts a block that is done and, when it was read, checked.
  [[nodiscard]] Result<> finished(std::uint64_t offset, const std::uint8_t* read,
                                  std::chrono::nanoseconds took);
  [[nodiscard]] bool time_is_over(DiskClock::time_point now) const {
    return options.duration.count() != 0 && now >= deadline;
  }
  [[nodiscard]] Error io_error(int error_number) const;

  const DiskOptions& options;
  const DiskFile& file;
  SectorPattern& pattern;
  DiskClock::time_point deadline{};
  std::uint64_t done = 0;  // blocks
  std::uint64_t passes = 0;
  Histogram latency;

 private:
  [[nodiscard]] BlockOrder order_of(std::uint64_t pass) const;

  BlockOrder order;
  std::uint64_t next_ = 0, issued_ = 0;
};

// One block at a time.
[[nodiscard]] Result<> run_in_turn(DiskRun& run);
// `depth` blocks in flight, through io_uring.
[[nodiscard]] Result<> run_in_flight(DiskRun& run);

}  // namespace vtax
