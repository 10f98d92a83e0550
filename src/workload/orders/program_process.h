#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/memory_kills.h"
#include "core/result.h"

namespace vtax {

// As what the code is told that the kernel itself maps into every program (vdso(7)).
inline constexpr char kVdsoFile[] = "/vdso";

// A part of a file that a program had in memory to execute it, in bytes; the file as the program calls it.
struct MappedCode {
  std::string file;
  std::uint64_t begin = 0, end = 0, offset = 0;
  std::string called = {};  // where the program was started by a link to this file: the link's name

  auto operator<=>(const MappedCode&) const = default;
};

// Of a process, sorted. Empty where it is gone.
[[nodiscard]] std::vector<MappedCode> mapped_code_of(pid_t process);

// An empty folder for programs to work in, which goes with its last user; a confined program's, with its
// root.
class ProgramFolder {
 public:
  // `user`: of the program's /etc/passwd; owns it. Error: there is no such user.
  [[nodiscard]] static Result<std::shared_ptr<const ProgramFolder>> make(const std::string& user);
  ProgramFolder(const ProgramFolder&) = delete;
  ProgramFolder& operator=(const ProgramFolder&) = delete;
  ~ProgramFolder();

  [[nodiscard]] const std::string& path() const { return path_; }  // as programs see it
  [[nodiscard]] uid_t user() const { return user_; }
  [[nodiscard]] gid_t group() const { return group_; }

 private:
  ProgramFolder() = default;

  std::string path_;
  uid_t user_ = 0;
  gid_t group_ = 0;
};

// A program of the user's, below program_root(): no other file is within its reach. It has a session of its
// own, fixed addresses (so that a rerun counts the same), the rights of the owner of the folder in which it
// works, and no standard input.
// What it prints is kept in memory, and bounded; a file that it writes may have as many bytes. It and its
// children are killed at the end, and die with the thread that started them.
class ProgramProcess {
 public:
  static constexpr std::uint64_t kMostWrittenBytes = 64 << 20;
  static constexpr int kMarks = 3;  // one digit, which is all that some shells take behind >&

  // Everything but the start, so that this costs no window anything: a child that waits for begin().
  // `traced`: it is stopped at the end of each of its processes, to see what they executed; that costs time.
  // `marks`: a descriptor that it is given, by the number kMarks, which VTAX_WINDOW says; -1: none.
  [[nodiscard]] static Result<ProgramProcess> prepare(const std::vector<std::string>& command,
                                                      std::shared_ptr<const ProgramFolder> folder,
                                                      bool traced, int marks = -1);
  ProgramProcess(ProgramProcess&& other) noexcept;
  ProgramProcess& operator=(ProgramProcess&&) = delete;
  ~ProgramProcess();

  void begin();

  // Until it has ended, by itself and well. Errors say how it ended otherwise, with its last words.
  // `uncounted`: what of the time since then is no part of the limit, where one that is not traced has to
  // wait for others.
  using TimeSoFar = std::function<std::chrono::nanoseconds()>;
  [[nodiscard]] Result<> wait(std::chrono::nanoseconds limit, const TimeSoFar& uncounted = {});

  // Whether it has not ended; asks once, and waits for nothing.
  [[nodiscard]] bool is_running();
  // Of one that has ended: "it ended with code 1", and whether the kernel has killed for want of memory
  // meanwhile.
  [[nodiscard]] std::string how_it_ended() const;

  // What it printed so far, printable: the first `most` bytes.
  [[nodiscard]] std::string output(std::size_t most) const;
  [[nodiscard]] std::string last_words() const;

  [[nodiscard]] pid_t process() const { return process_; }

  // Debian's redis-server is a link to redis-check-rdb: names what was mapped as it was asked for.
  void name_as_called(std::vector<MappedCode>& mapped) const;

  // Of a traced one that has ended: what it and its children executed.
  [[nodiscard]] std::vector<MappedCode> mapped() const { return seen_; }

 private:
  ProgramProcess() = default;
  [[nodiscard]] Result<int> wait_traced(std::chrono::nanoseconds limit);
  [[nodiscard]] Result<int> wait_plain(std::chrono::nanoseconds limit, const TimeSoFar& uncounted);
  [[nodiscard]] Error failed(std::string why) const;

  std::string name_;
  pid_t process_ = -1;
  int status_ = 0;
  bool ended_ = false, traced_ = false;
  Descriptor gate_, printed_, trouble_;
  std::string called_, target_;  // where it was started by a link: its name, and that of the file behind it
  std::shared_ptr<const ProgramFolder> folder_;
  std::vector<MappedCode> seen_;
  std::optional<std::uint64_t> kills_before_;
};

}  // namespace vtax
