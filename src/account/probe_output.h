#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "probe/format.h"

namespace vtax {

// One window as the probe counted it: raw addresses, nothing interpreted yet.
struct ProbeWindow {
  struct Context {
    int cpu = 0;
    int domain = -1;         // as announced by a marker; -1: never
    std::uint64_t vcpu = 0;  // the hypervisor's own pointer; 0 without a hypervisor
  };
  struct Row {
    std::uint32_t context = 0;  // index into contexts
    GuestAddress address;       // where the block starts
    std::int64_t instructions = 0;
    std::uint32_t length = 0;  // of the block, in instructions
    bool accesses_devices = false;

    // How often the block began; `length` is not 0. One that a fault left early was charged less than its
    // length.
    [[nodiscard]] std::uint64_t executions() const {
      return instructions <= 0 ? 0 : (static_cast<std::uint64_t>(instructions) + length - 1) / length;
    }
  };
  struct EventCount {
    std::uint32_t context = 0;
    probe::Event event{};
    std::uint64_t count = 0;
  };
  // Of what the settings had the probe add up (account/event_watch.h).
  struct Sum {
    std::uint32_t context = 0;
    std::uint32_t number = 0;
    std::uint64_t value = 0;
  };

  // What was executed since the slice before (probe/format.h).
  struct Slice {
    std::uint64_t end_virtual_ns = 0;  // since the window's begin; never less than the slice before
    std::uint32_t guest = probe::kNobody;
    Bytes bytes;  // that `guest` has done so far, as it says
    Transactions transactions;
    std::size_t first_row = 0, rows = 0;  // in slice_rows
  };
  struct SliceRow {
    std::uint32_t row = 0;  // index into rows
    std::int64_t instructions = 0;
  };

  struct CacheRow {
    std::uint32_t row = 0;  // index into rows
    probe::CacheCount count{};
    std::uint64_t value = 0;
  };

  struct Latency {
    std::uint32_t guest = 0;  // its number, from 1
    std::uint64_t ns = 0;
  };

  // A virtual CPU was current on the context's CPU without a break; ns since the window's begin.
  struct Stay {
    std::uint32_t context = 0;
    std::uint64_t begin_ns = 0, end_ns = 0;
    std::optional<std::uint64_t> woke_ns = {};  // of one that had slept: when it wanted to run again
  };

  std::vector<Context> contexts;
  std::vector<Row> rows;
  std::vector<EventCount> events;
  std::vector<Sum> sums;
  std::vector<Slice> slices;
  std::vector<SliceRow> slice_rows;
  std::vector<CacheRow> cache_rows;  // empty without a cache model
  std::vector<Latency> latencies;    // in the order of the answers; empty where some had no room
  std::vector<Stay> stays;           // of each CPU in the order of time; empty where nobody asked for them
  std::uint64_t stays_left_out = 0;  // the later ones, for which there was no room
  Instructions total;                // by the emulator's own counter, independent of the rows
  std::uint64_t ns = 0;              // by the machine's clock
  std::uint64_t corrected_blocks = 0;
  std::uint64_t unexplained = 0;  // turns whose counts differ from the emulator's; a good window has none
};

// How long the record is that begins with these bytes (at least sizeof(probe::WindowHeader) of them). Error:
// it says of itself what cannot be: longer than kMostRecordBytes, or more slices than there are.
[[nodiscard]] Result<std::size_t> probe_record_bytes(std::span<const std::byte> begin);
inline constexpr std::size_t kMostRecordBytes = std::size_t{1} << 30;

// Reads one window's record out of the probe's shared file. Every length and index is checked: the emulator
// may have been killed in the middle of writing it.
[[nodiscard]] Result<ProbeWindow> read_probe_window(std::span<const std::byte> record);

// The live header alone, for progress and for why the probe ended the emulator. Any content is accepted.
struct ProbeStatus {
  probe::State state = probe::State::starting;
  std::uint32_t windows = 0;  // whose records are there
  std::uint64_t instructions = 0;
  std::string message;
};
[[nodiscard]] ProbeStatus read_probe_status(std::span<const std::byte> file);

}  // namespace vtax
