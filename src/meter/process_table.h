#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "meter/kernel_text.h"

namespace vtax::meter {

// What tells whose a process is.
struct ProcessFacts {
  int number = 0, parent = 0;
  std::uint64_t born_ticks = 0;  // since the computer's start, in hundredths of a second
  std::string name;
  bool of_kernel = false;
  std::vector<std::string> arguments;  // none of the kernel's, nor where they may not be read
  // The lines of /proc/PID/cgroup: controllers ("" on version 2), path.
  std::vector<std::pair<std::string, std::string>> groups;
  std::optional<std::uint32_t> network_namespace;  // absent of the kernel's, and of what has just ended
  bool network_is_hidden = false;                  // there is one, and no right to see it
};

// /proc/PID/stat as far as it is of use here; its second field may hold anything.
struct ProcessLine {
  std::string_view name;
  char state = '?';  // T: stopped
  int parent = 0;
  std::uint64_t flags = 0, born_ticks = 0, guest_ticks = 0;
  int cpu = -1;
};
[[nodiscard]] std::optional<ProcessLine> parse_process_line(std::string_view text);

[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_groups(std::string_view text);

// The processes of this computer, looked at anew by each scan(). What does not change in a process's life is
// read when it is new, once more at the scan behind it (it may have begun another program), and every 16th
// time.
class ProcessTable {
 public:
  // Error: /proc cannot be read.
  [[nodiscard]] static Result<ProcessTable> open();
  Result<> scan();
  [[nodiscard]] const std::map<int, ProcessFacts>& all() const { return all_; }
  // Counts what has come, gone or become another: as long as it stands still, so does what was made of it.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  // Reads it anew at the next scan.
  void doubt(int process) { ages_[process] = 0; }

 private:
  [[nodiscard]] std::optional<ProcessFacts> read(int process);

  Descriptor proc_;
  std::map<int, ProcessFacts> all_;
  std::unordered_map<int, int> ages_;  // in scans
  std::uint64_t changes_ = 0;
  std::string buffer_;
};

// /proc/PID/schedstat.
struct ThreadTimes {
  std::uint64_t run_ns = 0, waiting_ns = 0, switches = 0;
};
[[nodiscard]] std::optional<ThreadTimes> parse_schedstat(std::string_view text);

struct ThreadReading {
  std::string name;
  std::uint64_t born_ticks = 0;
  ThreadTimes times;
  std::uint64_t guest_ticks = 0;  // zero where ticks are not asked for
  int cpu = -1;                   // on which it ran last; -1 where ticks are not asked for
};

// The threads of one process; its files stay open from one reading to the next.
class ThreadBooks {
 public:
  // `with_ticks`: guest ticks and CPU too, which take as long as all else.
  ThreadBooks(int process, bool with_ticks);
  // By number. At most `most` threads: where there are more, nothing.
  [[nodiscard]] std::optional<std::map<int, ThreadReading>> read(std::size_t most);
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] std::optional<std::uint64_t> resident_bytes();

 private:
  struct Held {
    HeldFile schedstat, stat;
    std::string name;
    std::uint64_t born_ticks = 0;
    int age = 0;
  };
  bool with_ticks_, stopped_ = false;
  Descriptor folder_, tasks_;
  HeldFile stat_, memory_;
  std::unordered_map<int, Held> threads_;
  std::string buffer_;
};

}  // namespace vtax::meter
