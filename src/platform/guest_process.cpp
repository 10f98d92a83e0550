#include "platform/guest_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/close_at_exec.h"
#include "core/process_end.h"
#include "core/readable.h"
#include "core/subprocess.h"
#include "platform/extended_registers.h"
#include "platform/placement.h"
#include "workload/orders/program_confinement.h"

namespace vtax {
namespace {

constexpr rlim_t kMostConsoleBytes = 4 << 20;  // a guest that prints for ever fills no memory

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the guest's child: until execve; 0 or errno.
int become_guest(const GuestProgram& guest, int cpu, const ProgramConfinement* walls, int gate) {
  static_cast<void>(pin(0, cpu));
  if (walls != nullptr) setsid();  // what it kills of its group is its own
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ}) signal(number, SIG_DFL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (guest.largest_file_bytes) {
    const rlim_t largest = std::max<rlim_t>(kMostConsoleBytes, *guest.largest_file_bytes);
    const rlimit bounded{largest, largest};
    setrlimit(RLIMIT_FSIZE, &bounded);
  }
  if (walls != nullptr && personality(ADDR_NO_RANDOMIZE) < 0) return errno;
  constexpr bool kTraces = true;  // User Mode Linux its programs
  if (walls != nullptr && (!walls->enter(gate) || !ProgramConfinement::give_up_rights(0, 0, kTraces)))
    return errno != 0 ? errno : EPERM;  // who is not let in has none
  prctl(PR_SET_PDEATHSIG, SIGKILL);     // which other rights take back
  return guest.hides_extended_registers ? hide_extended_registers() : 0;
}

}  // namespace

Result<GuestProcess> GuestProcess::start(const GuestProgram& guest, int cpu) {
  const std::string what = "cannot start " + guest.program.string();
  const auto failed = [&](int why) {
    Error error = system_error(what, why);
    error.code = ExitCode::unavailable;
    return fail(std::move(error));
  };
  Descriptor console(memfd_create("console", MFD_CLOEXEC));
  if (!console.valid()) return failed(errno);
  std::vector<std::string> words{guest.program.string()};
  words.insert(words.end(), guest.arguments.begin(), guest.arguments.end());
  std::vector<std::string> variables = guest.environment;
  const std::vector<char*> argv = pointers_to(words), environment = pointers_to(variables);
  int told[2];  // execve's error, or the end of file when there is none
  if (pipe2(told, O_CLOEXEC) != 0) return failed(errno);
  Descriptor hear(told[0]), tell(told[1]);
  std::optional<ProgramConfinement> walls;
  Descriptor gate, open_gate;
  if (!guest.walls.empty()) {
    auto made = ProgramConfinement::make(guest.walls);
    if (!made) return fail(made.error());
    walls = std::move(*made);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return failed(errno);
    gate = Descriptor(ends[0]);
    open_gate = Descriptor(ends[1]);
  }

  const pid_t child = fork();
  if (child < 0) return failed(errno);
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, 0);
    // Appending, so that what reads from the start does not move where it writes.
    fcntl(console.get(), F_SETFL, O_APPEND);
    dup2(console.get(), 1);
    dup2(console.get(), 2);
    int why = close_all_at_exec() ? become_guest(guest, cpu, walls ? &*walls : nullptr, gate.get()) : errno;
    if (why == 0) {
      execve(argv.front(), argv.data(), environment.data());
      why = errno;
    }
    static_cast<void>(write(tell.get(), &why, sizeof why) == sizeof why);
    _exit(127);
  }
  tell.reset();
  GuestProcess process(child, std::move(console));
  const Result<> let_in = walls ? walls->let_in(child, open_gate.get()) : Result<>();
  if (!let_in) kill(child, SIGKILL);  // it may wait for it
  int why = 0;
  ssize_t got = 0;
  while ((got = read(hear.get(), &why, sizeof why)) < 0 && errno == EINTR) {
  }
  if (got == sizeof why) return failed(why);
  if (!let_in) return fail(let_in.error());
  return process;
}

GuestProcess::GuestProcess(GuestProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      status_(other.status_),
      console_(std::move(other.console_)),
      kills_before_(other.kills_before_) {}

GuestProcess::~GuestProcess() {
  if (process_ < 0) return;
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool GuestProcess::running() {
  if (process_ >= 0 && waitpid(process_, &status_, WNOHANG) == process_) process_ = -1;
  // It is a file in memory, and the limit for files may be larger.
  const off_t printed = lseek(console_.get(), 0, SEEK_END);
  if (process_ >= 0 && printed > static_cast<off_t>(kMostConsoleBytes)) kill(process_, SIGKILL);
  return process_ >= 0;
}

std::string GuestProcess::how_it_ended() const {
  return end_text(status_) +
         want_of_memory_since(kills_before_,
                              "vtax's control group, or the computer, has less than the guest takes");
}

std::string GuestProcess::console() const {
  const off_t size = std::max<off_t>(0, lseek(console_.get(), 0, SEEK_END));
  std::string text(std::min(static_cast<std::size_t>(size), kPanicBytes), '\0');
  const ssize_t got = pread(console_.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return text;
}

}  // namespace vtax
