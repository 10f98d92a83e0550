#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/bytes.h"

namespace vtax::profile {

// Where a CPU was when it was sampled. guest_*: it ran KVM's guest, as its host sees it.
enum class Mode : std::uint8_t { kernel, user, hypervisor, guest_kernel, guest_user };

struct CodeAddress {
  Mode mode = Mode::user;
  std::uint64_t address = 0;
};

// What the kernel writes into a ring of perf_event_open(2), as far as it is of use here.
struct Sample {
  int process = 0, thread = 0, cpu = 0;
  // The innermost first; of callers the address to which they are returned to.
  std::vector<CodeAddress> stack;
};
struct Mapped {  // of code, into a process
  int process = 0;
  std::uint64_t begin = 0, size = 0, file_offset = 0;
  std::uint64_t device = 0, inode = 0;
  std::string file;
};
struct Named {
  int process = 0, thread = 0;
  bool began_program = false;  // execve(2)
  std::string name;
};
struct Forked {
  int process = 0, parent = 0;
};
struct Lost {
  std::uint64_t records = 0;
};
struct Throttled {};

struct Record {
  std::uint64_t time_ns = 0;
  std::variant<Sample, Mapped, Named, Forked, Lost, Throttled> what;
};

// The sample_type of which records are parsed, and the longest stack.
[[nodiscard]] std::uint64_t sample_type();
inline constexpr std::uint16_t kLongestStack = 64;

// One record from its header on; nothing where it is of another kind or cut off.
[[nodiscard]] std::optional<Record> parse_record(ByteView record);

}  // namespace vtax::profile
