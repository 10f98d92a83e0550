#pragma once

// What the probe writes for the measuring process, through one shared file: a header that is live while the
// machine runs, then a record for each window that closed, one behind the other: WindowHeader and its tables.
// A record never changes; it is there once Header::windows counts it. Native byte order: both ends are on one
// computer. Only plain integers; the reader (src/account) checks every field.

#include <cstdint>

namespace vtax::probe {

inline constexpr char kMagic[8] = {'V', 'T', 'A', 'X', 'P', 'R', 'B', '4'};

enum class State : std::uint32_t {
  starting = 0,
  running = 1,
  window_open = 2,
  window_closed = 3,
  limit_reached = 4,  // the instruction budget is spent; the emulator was ended
  failed = 5,         // `message` says why; the emulator was ended
};

// Events are counted where the guest enters a function, or at an instruction.
enum class Event : std::uint32_t {
  hypercalls = 0,
  upcalls = 1,
  interrupts = 2,
  page_table_switches = 3,
  system_calls = 4,
  page_faults = 5,
  context_switches = 6,
  vm_exits = 7,
  // What the exits were for; they add up to vm_exits, and are all absent where the emulator cannot be asked.
  exits_interrupt = 8,
  exits_interrupt_window = 9,
  exits_exception = 10,
  exits_register = 11,  // control and debug registers
  exits_cpuid = 12,
  exits_halt = 13,
  exits_pause = 14,
  exits_io = 15,
  exits_msr = 16,
  exits_hypercall = 17,
  exits_nested_page_fault = 18,
  exits_other = 19,
  profile_samples = 20,  // a kernel's profiler looks who executes
};
inline constexpr std::uint32_t kEventKinds = 21;

struct Header {
  char magic[8];
  std::uint32_t state;             // State
  std::uint32_t windows;           // closed so far
  std::uint64_t instructions;      // executed so far by all CPUs, up to some 64 Ki behind; moves while alive
  std::uint64_t window_icount;     // of the window that is open or was last: see WindowHeader
  std::uint64_t corrected_blocks;  // likewise
  std::uint64_t corrected_instructions;
  std::uint64_t slices_at_exceptions;
  std::uint64_t marker_domains_seen;  // bit k: domain k was announced
  char message[160];
};

// Of one window that has closed. Its tables follow, in the order of their lengths here.
struct WindowHeader {
  std::uint64_t window_icount;     // the window's instructions by the emulator's own counter
  std::uint64_t corrected_blocks;  // blocks left early by a fault or a device access
  std::uint64_t corrected_instructions;
  std::uint64_t slices_at_exceptions;  // faults whose rest a new slice hid: each miscounts a block at most
  std::uint64_t contexts, rows, events;
  std::uint64_t slices, slice_rows;  // 0: no virtual time
  std::uint64_t cache_rows;          // 0 without a cache model
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
  std::uint32_t reserved;
};

struct EventRow {
  std::uint32_t context;
  std::uint32_t event;
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

// Markers: an 8-byte NOP, these four bytes, then the identity in little endian.
inline constexpr std::uint8_t kMarkerPrefix[4] = {0x0f, 0x1f, 0x84, 0x00};
inline constexpr std::uint32_t kMarkerAnnounce = 0x56540000;  // + domain number, 0 to 63
inline constexpr std::uint32_t kMarkerBegin = 0x56540100;
inline constexpr std::uint32_t kMarkerEnd = 0x56540101;
// The guest whose number is in %rdi has done %rsi bytes and %rdx transactions since the window's begin.
inline constexpr std::uint32_t kMarkerProgress = 0x56540102;

}  // namespace vtax::probe
