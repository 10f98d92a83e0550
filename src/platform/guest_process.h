#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/memory_kills.h"
#include "core/result.h"

namespace vtax {

// How a guest is started: a program of this machine that runs a kernel and its image.
struct GuestProgram {
  std::filesystem::path program;
  std::vector<std::string> arguments;     // without the program's name
  std::vector<std::string> environment;   // "NAME=value": all of it
  bool hides_extended_registers = false;  // extended_registers.h
  // Of files that it writes itself, besides its console, which then is bounded as well; nothing: of any size.
  std::optional<std::uint64_t> largest_file_bytes = {};
  // It is confined to the root in this folder, as the user's programs are (program_confinement.h), and as
  // them it has fixed addresses; all paths are as seen from within. Empty: it is not.
  std::string walls = {};
};

// A guest's process. It is killed and awaited at the end, and dies with the thread that started it; it
// inherits no descriptor but its console, of which the last part is kept.
class GuestProcess {
 public:
  // Pinned to `cpu`, threads and children included. Error: unavailable where the program cannot be started.
  [[nodiscard]] static Result<GuestProcess> start(const GuestProgram& guest, int cpu);
  GuestProcess(GuestProcess&& other) noexcept;
  GuestProcess& operator=(GuestProcess&&) = delete;
  ~GuestProcess();

  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] bool running();
  // Of one that does not run any more: "it was killed by signal 9 (Killed)", and whether this computer's
  // kernel has killed for want of memory meanwhile.
  [[nodiscard]] std::string how_it_ended() const;
  // What it printed last, kPanicBytes of it at the most; it may print anything.
  [[nodiscard]] std::string console() const;

 private:
  GuestProcess(pid_t process, Descriptor console)
      : process_(process), console_(std::move(console)), kills_before_(memory_kills()) {}

  pid_t process_ = -1;
  int status_ = 0;
  Descriptor console_;  // an anonymous file
  std::optional<std::uint64_t> kills_before_;
};

}  // namespace vtax
