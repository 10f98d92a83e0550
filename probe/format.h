#pragma once

// What the probe writes for the measuring process, through one shared file: a header that is live while the
// machine runs, then a record for each window that closed, one behind the other: WindowHeader and its tables.
// A record never changes; it is there once Header::windows counts it. Native byte order: both ends are on one
// computer. Only plain integers; the reader (src/account) checks every field.

#include <cstdint>

#include "events.h"

namespace vtax::probe {

inline constexpr char kMagic[8] = {'V', 'T', 'A', 'X', 'P', 'R', 'B', '5'};

enum class State : std::uint32_t {
  starting = 0,
  running = 1,
  window_open = 2,
  window_closed = 3,
  limit_reached = 4,  // a bound was passed, `message` says which; the emulator was ended
  failed = 5,         // `message` says why; the emulator was ended
};

// Behind the events (probe/events.h) in EventRow::event: sums that the settings define (settings.h); 0 to
// kSums - 1 there.
inline constexpr std::uint32_t kSums = 24;
inline constexpr std::uint32_t kCounters = kEventKinds + kSums;

struct Header {
  char magic[8];
  std::uint32_t state;             // State
  std::uint32_t windows;           // closed so far
  std::uint64_t instructions;      // executed so far by all CPUs, up to some 64 Ki behind; moves while alive
  std::uint64_t window_icount;     // of the window that is open or was last: see WindowHeader
  std::uint64_t window_ns;         // likewise
  std::uint64_t corrected_blocks;  // likewise
  std::uint64_t corrected_instructions;
  std::uint64_t unexplained;
  std::uint64_t marker_domains_seen;  // bit k: domain k was announced
  char message[160];
};

// Of one window that has closed. Its tables follow, in the order of their lengths here.
struct WindowHeader {
  std::uint64_t window_icount;     // the window's instructions by the emulator's own counter
  std::uint64_t window_ns;         // from the time of the CPU that began it to that of the CPU that ended it
  std::uint64_t corrected_blocks;  // blocks left early by a fault or a device access
  std::uint64_t corrected_instructions;
  std::uint64_t unexplained;  // turns in which QEMU's counter and the probe's differ; 0 if all is well
  std::uint64_t contexts, rows, events;
  std::uint64_t slices, slice_rows;
  std::uint64_t cache_rows;          // 0 without a cache model
  std::uint64_t latencies;           // the table behind the others
  std::uint64_t latencies_left_out;  // answers beyond kMostLatencies
  std::uint64_t stays;               // behind them; 0 unless the settings ask for the schedule
  std::uint64_t stays_left_out;      // beyond kMostStays
};

// A context: one CPU while one virtual CPU was current on it.
struct Context {
  std::int32_t cpu;
  std::int32_t domain;  // as announced; -1: never announced
  std::uint64_t vcpu;   // the hypervisor's pointer; 0 where there is no hypervisor
};

struct Row {
  std::uint64_t address;  // where the block starts
  std::uint64_t instructions;
  std::uint32_t context;
  std::uint16_t length;            // of the block, in instructions: how often it began is their quotient
  std::uint16_t accesses_devices;  // 1: its last instruction accesses a device; mostly it is the only one
};

struct EventRow {
  std::uint32_t context;
  std::uint32_t event;  // Event, or a sum's number and kEventKinds
  std::uint64_t count;
};

// What was executed from one progress marker to the next; the first begins with the window, the last ends
// with it.
struct Slice {
  std::uint64_t end_virtual_ns;       // since the window's begin
  std::uint64_t bytes, transactions;  // what `guest` has done so far, as it says
  std::uint32_t guest;                // whose marker ended it; kNobody: the window's end did
  std::uint32_t rows;                 // how many of the slice rows are its own, in the slices' order
};
inline constexpr std::uint32_t kNobody = 0xffffffff;
inline constexpr std::uint64_t kMostSlices = 1024;  // the last one is then the rest of the window

struct SliceRow {
  std::uint32_t row;  // of the window's rows: whose and where
  std::uint32_t reserved;
  std::int64_t instructions;  // negative: a correction of what the slice before was charged
};

// What the cache model (cache_model.h) counts.
enum class CacheCount : std::uint32_t {
  memory_accesses = 0,  // loads and stores; one that spans two lines is two
  l1i_misses = 1,       // lines of code that were not in
  l1d_misses = 2,
  l2_misses = 3,
  l3_misses = 4,
};
inline constexpr std::uint32_t kCacheCounts = 5;

struct CacheRow {
  std::uint32_t row;    // of the window's rows
  std::uint32_t count;  // CacheCount
  std::uint64_t value;
};

// How long one of a guest's requests took: from its marker to that of its answer, by the time of the CPU that
// executed each; or what the guest says.
struct Latency {
  std::uint32_t guest;  // its number, from 1
  std::uint32_t reserved;
  std::uint64_t ns;
};
inline constexpr std::uint64_t kMostLatencies = 1U << 22;

// A virtual CPU was current on a CPU without a break; ns since the window's begin.
struct Stay {
  std::uint32_t context;
  std::uint32_t reserved;
  std::uint64_t begin_ns, end_ns;
  std::int64_t woke_ns;  // of one that had slept: when it wanted to run again; kNeverWoke: it had not
};
inline constexpr std::uint64_t kMostStays = 1U << 16;
inline constexpr std::int64_t kNeverWoke = -1;

// Markers: an 8-byte NOP, these four bytes, then the identity in little endian.
inline constexpr std::uint8_t kMarkerPrefix[4] = {0x0f, 0x1f, 0x84, 0x00};
inline constexpr std::uint32_t kMarkerAnnounce = 0x56540000;  // + domain number, 0 to 63
inline constexpr std::uint32_t kMarkerBegin = 0x56540100;
inline constexpr std::uint32_t kMarkerEnd = 0x56540101;
// The guest whose number is in %rdi has done %rsi bytes and %rdx transactions since the window's begin.
inline constexpr std::uint32_t kMarkerProgress = 0x56540102;
// The guest whose number is in %rdi sends its request number %rsi, or has its whole answer.
inline constexpr std::uint32_t kMarkerRequest = 0x56540103;
inline constexpr std::uint32_t kMarkerAnswer = 0x56540104;
// The guest whose number is in %rdi waited %rsi ns for an answer, by its own clock.
inline constexpr std::uint32_t kMarkerLatency = 0x56540105;

}  // namespace vtax::probe
