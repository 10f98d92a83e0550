#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "profile/image_symbols.h"
#include "profile/kernel_names.h"
#include "profile/record.h"
#include "profile/run_time_code.h"

namespace vtax::profile {

// What code each process has where: from /proc/PID/maps when it is first seen, and what the kernel tells of
// it from then on. Files are read as the process itself sees them (/proc/PID/map_files, /proc/PID/root).
class ProcessImages {
 public:
  void take(const Mapped& mapped);
  void take(const Named& named);
  void take(const Forked& forked);

  // Of user code. Call it while the process lives: what has ended before its maps were read is unknown.
  [[nodiscard]] Function at(int process, std::uint64_t address);
  [[nodiscard]] std::string name_of(int process);
  // Build ids of the images in which something was looked up, by the images' names.
  [[nodiscard]] const std::map<std::string, std::string>& build_ids() const { return build_ids_; }
  // Files that were too large to be read, or could not be.
  [[nodiscard]] const std::set<std::string>& unread() const { return unread_; }
  // Who was forked from whom since sampling began.
  [[nodiscard]] const std::unordered_map<int, int>& parents() const { return parents_; }

 private:
  using File = std::pair<std::uint64_t, std::uint64_t>;  // device, inode
  struct Process {
    std::string name;
    std::map<std::uint64_t, Mapped> mappings;  // by begin
    std::chrono::steady_clock::time_point maps_read;
  };
  Process& process_of(int number);
  static void read_maps(int number, Process& process);
  static const Mapped* mapping_at(const Process& process, std::uint64_t address);
  ImageSymbols& symbols_of(int process, const Mapped& mapped);
  static std::vector<std::uint8_t> read_symbols_apart(int process, const std::string& build_id);

  std::unordered_map<int, Process> processes_;
  std::unordered_map<int, int> parents_;
  std::map<File, std::unique_ptr<ImageSymbols>> files_;
  std::unique_ptr<ImageSymbols> vdso_;
  RunTimeCode run_time_code_;
  std::map<std::string, std::string> build_ids_;
  std::set<std::string> unread_;
};

// The lines of /proc/PID/maps that are of code.
[[nodiscard]] std::vector<Mapped> parse_maps(int process, std::string_view text);

}  // namespace vtax::profile
