#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "workload/measure/side_report.h"

namespace vtax {

enum class DiskPattern { sequential, random };
enum class DiskOperation { read, write };
enum class DiskSync { none, end, each };

// Reads or writes a file block by block: sequentially as dd does, or each block once in a random order;
// through the page cache or past it; one at a time with pread(2) and pwrite(2), or several in flight with
// io_uring.
//
// Reads are of a file that vtax has written and dropped from the page cache; each sector is checked for
// what belongs there. What was there before vtax is read unchecked. Writes count when fdatasync(2) has
// returned, unless it was asked not to: its time is part of the measured span. An interruption is noticed
// between two blocks and between two pieces of a sync.
struct DiskOptions {
  std::string file;       // to be made: it must not be there, unless `existing`
  bool existing = false;  // a file or device of at least `size` bytes; it stays, writes destroy what it holds
  bool device = false;    // also write to a block device
  bool fill = false;      // what is read of an existing file: first write it, so that it can be checked
  std::uint64_t size = std::uint64_t{128} << 20;  // of the file, a multiple of `block`
  std::uint64_t block = 512;                      // a multiple of 512, up to 16 MiB
  DiskPattern pattern = DiskPattern::sequential;
  DiskOperation operation = DiskOperation::read;
  bool direct = false;
  std::uint64_t depth = 1;              // blocks in flight; above 1 needs `direct`
  std::chrono::nanoseconds duration{};  // 0: each block once; else over and over until then
  std::uint64_t blocks = 0;       // in place of a duration: this many, in passes of which each is synced
  DiskSync sync = DiskSync::end;  // of writes
  bool verify_all = false;        // every byte of what is read, in place of each sector's tag
  std::uint64_t seed = 1;
  bool window = false;  // the lab's markers around the measured part, and no clock is read in it: no latency

  [[nodiscard]] Result<> check() const;
};

// Metrics: `throughput` (B/s) and `iops` (1/s), the latter first for random patterns. `transactions` are
// blocks, the latency is that of one.
[[nodiscard]] Result<SideReport> run_disk(const DiskOptions& options);

}  // namespace vtax
