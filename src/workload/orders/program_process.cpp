#include "workload/orders/program_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "core/close_at_exec.h"
#include "core/process_end.h"
#include "core/readable.h"
#include "workload/measure/watchdog.h"
#include "workload/orders/program_confinement.h"
#include "workload/orders/program_files.h"
#include "workload/orders/program_starter.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostMappings = 256, kLastWordsBytes = 300;
constexpr const char* kProgramPaths[] = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
                                         "/usr/bin/",        "/sbin/",          "/bin/"};

Error not_ended_after(std::chrono::nanoseconds limit) {
  return {"wait for a program",
          fmt::format("it has not ended after {} s (limit_seconds)", limit / std::chrono::seconds(1)), "",
          ExitCode::trial_failed};
}

// The kernel's file systems and empty folders where programs look for them, once in this mount namespace.
Result<> complete_root() {
  if (are_programs_confined()) return {};  // whoever confined them has done so
  const fs::path root = program_root();
  std::error_code error;
  if (!fs::is_directory(root, error))
    return fail({"run a program of the user's", "this machine's image has none", "", ExitCode::trial_failed});
  if (fs::exists(root / "proc/self", error)) return {};
  struct Mounted {
    const char *source, *folder, *type;
    unsigned long flags;
  };
  for (const Mounted& one : {Mounted{"proc", "proc", "proc", MS_NOSUID},
                             {"/dev", "dev", nullptr, MS_BIND},
                             {"/sys", "sys", nullptr, MS_BIND | MS_REC},
                             {"tmpfs", "tmp", "tmpfs", MS_NOSUID},
                             {"tmpfs", "run", "tmpfs", MS_NOSUID}}) {
    const fs::path where = root / one.folder;
    fs::create_directories(where, error);
    if (mount(one.source, where.c_str(), one.type, one.flags, nullptr) != 0)
      return fail(system_error("cannot mount " + where.string(), errno));
  }
  for (const char* folder : {"root", "var/log", "var/run", "var/lib", "var/tmp"})
    fs::create_directories(root / folder, error);
  fs::permissions(root / "tmp", fs::perms::all | fs::perms::sticky_bit, error);
  return {};
}

// Where the program is, as seen from within; empty where nowhere.
std::string place_of_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name.front() == '/' && is_program_file(name) ? name : "";
  for (const char* folder : kProgramPaths)
    if (is_program_file(folder + name)) return folder + name;
  return "";
}

// Of the kernel on which the program runs.
std::string memory_text() {
  struct sysinfo has {};
  sysinfo(&has);
  return fmt::format("the system has {} MiB in all, or vtax's control group in it less",
                     (std::uint64_t{has.totalram} * has.mem_unit) >> 20);
}

std::string printable_text(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f))
      out += c;
  return out;
}

std::uint64_t hexadecimal(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return number;
}

struct Start {
  std::string program;
  const ProgramFolder* folder;
  const ProgramConfinement* confinement;  // null: it is in the lab, and needs none
  std::vector<char*> arguments, environment;
  int gate, printed, trouble, marks;
  bool traced;
};

bool take_its_root(const Start& start) {
  if (start.confinement != nullptr) return start.confinement->enter(start.gate);
  return chroot(program_root().c_str()) == 0;
}

// A confined one makes it itself: by then the program's links lead nowhere but into its root.
bool enter_folder(const Start& start) {
  const char* const path = start.folder->path().c_str();
  if (start.confinement != nullptr && mkdir(path, 0777) != 0 && errno != EEXIST) return false;
  return chdir(path) == 0;
}

bool become_its_user(const Start& start) {
  const uid_t user = start.folder->user();
  const gid_t group = start.folder->group();
  if (start.confinement != nullptr) return ProgramConfinement::give_up_rights(user, group);
  return user == 0 || (setgroups(0, nullptr) == 0 && setgid(group) == 0 && setuid(user) == 0);
}

// In the child; what of it can fail tells its errno.
[[noreturn]] void become_program(Start start) {
  const auto give_up = [&] {
    const int why = errno;
    static_cast<void>(write(start.trouble, &why, sizeof why) == sizeof why);
    _exit(127);
  };
  setsid();
  if (!take_its_root(start)) give_up();
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  fcntl(start.printed, F_SETFL, O_APPEND);
  if (null < 0 || dup2(null, 0) < 0 || dup2(start.printed, 1) < 0 || dup2(start.printed, 2) < 0) give_up();
  if (!close_all_at_exec()) give_up();  // what vtax was given is nothing of the program's
  if (start.marks >= 0) {
    for (int* kept : {&start.gate, &start.trouble, &start.marks})
      *kept = fcntl(*kept, F_DUPFD_CLOEXEC, ProgramProcess::kMarks + 1);
    if (dup2(start.marks, ProgramProcess::kMarks) < 0) give_up();
  }
  for (int number = 1; number < SIGRTMIN; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit no_core{0, 0}, bounded{ProgramProcess::kMostWrittenBytes, ProgramProcess::kMostWrittenBytes};
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_FSIZE, &bounded);
  const int before = personality(0xffffffff);
  if (before < 0 || personality(static_cast<unsigned long>(before) | ADDR_NO_RANDOMIZE) < 0) give_up();
  if (!become_its_user(start) || !enter_folder(start)) give_up();
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // which a change of user takes back
  if (start.traced && (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0 || raise(SIGSTOP) != 0)) give_up();
  char go = 0;
  while (read(start.gate, &go, 1) < 0 && errno == EINTR) {
  }
  if (go == 0) _exit(0);  // nobody wants it any more
  execve(start.program.c_str(), start.arguments.data(), start.environment.data());
  give_up();
  _exit(127);
}

std::vector<char*> pointers_into(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Account {
  uid_t user;
  gid_t group;
};

std::optional<Account> account_named(const std::string& user) {
  if (user == "root") return Account{0, 0};
  std::istringstream in(read_program_file("/etc/passwd"));
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name, password, number, group;
    for (std::string* field : {&name, &password, &number, &group}) std::getline(fields, *field, ':');
    const auto is_number = [](const std::string& text) {
      return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
    };
    if (name == user && is_number(number) && is_number(group))
      return Account{static_cast<uid_t>(std::stoul(number)), static_cast<gid_t>(std::stoul(group))};
  }
  return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const ProgramFolder>> ProgramFolder::make(const std::string& user) {
  if (Result<> whole = complete_root(); !whole) return fail(whole.error());
  const auto account = account_named(user);
  if (!account)
    return fail({"run a program as the user " + printable_text(user),
                 "its /etc/passwd has no such user; that of packages has root, program, www-data and nobody",
                 "", ExitCode::trial_failed});
  static int made = 0;  // numbered, so that a rerun makes the same names
  const std::shared_ptr<ProgramFolder> folder(new ProgramFolder);
  folder->path_ = fmt::format("/tmp/{}-{}", getpid(), ++made);
  folder->user_ = account->user;
  folder->group_ = account->group;
  const std::string here = program_root() + folder->path_;
  if (are_programs_confined()) {
    if (const auto ids = ProgramIds::of_this_process();
        account->user < ids.count && account->group < ids.count)
      return folder;
    return fail({"run a program as the user " + printable_text(user),
                 "whoever runs vtax has no other users to give it than root",
                 "run vtax as root, or leave 'user' out", ExitCode::unavailable});
  }
  if (mkdir(here.c_str(), 0777) != 0 || chown(here.c_str(), account->user, account->group) != 0)
    return fail(system_error("cannot make " + folder->path_, errno));
  return folder;
}

ProgramFolder::~ProgramFolder() {
  std::error_code ignored;
  if (!path_.empty() && !are_programs_confined()) fs::remove_all(program_root() + path_, ignored);
}

std::vector<MappedCode> mapped_code_of(pid_t process) {
  std::ifstream in(fmt::format("/proc/{}/maps", process));
  std::set<MappedCode> found;
  for (std::string line; std::getline(in, line) && found.size() < kMostMappings;) {
    // begin-end rwxp offset device inode path
    std::istringstream words(line);
    std::string range, permissions, offset, device, inode, path;
    words >> range >> permissions >> offset >> device >> inode;
    std::getline(words >> std::ws, path);
    const std::size_t dash = range.find('-');
    if (path == "[vdso]") path = kVdsoFile;
    if (permissions.size() < 3 || permissions[2] != 'x' || !path.starts_with('/') ||
        dash == std::string::npos)
      continue;
    if (path.starts_with(program_root())) path.erase(0, program_root().size());
    found.insert(
        {path, hexadecimal(range.substr(0, dash)), hexadecimal(range.substr(dash + 1)), hexadecimal(offset)});
  }
  // The kernel's own part is the same memory in every process, each time elsewhere, and the lab's emulator
  // says of it where it was executed first: that may have been by this process.
  if (!found.empty() && process != getpid())
    for (const MappedCode& own : mapped_code_of(getpid()))
      if (own.file == kVdsoFile) found.insert(own);
  return {found.begin(), found.end()};
}

Result<ProgramProcess> ProgramProcess::prepare(const std::vector<std::string>& command,
                                               std::shared_ptr<const ProgramFolder> folder, bool traced,
                                               int marks) {
  const std::string program = place_of_program(command.front());
  if (program.empty())
    return fail({"run " + command.front(), "there is no such program in its packages and files",
                 "is the package that holds it named?", ExitCode::trial_failed});
  if (const std::string starter = missing_starter(program); !starter.empty())
    return fail({"run " + command.front(),
                 "it is started by " + printable(starter, 200) + ", which is not in its packages and files",
                 "", ExitCode::trial_failed});
  ProgramProcess self;
  self.name_ = command.front();
  self.folder_ = std::move(folder);
  self.traced_ = traced;
  self.kills_before_ = memory_kills();
  if (const fs::path target = target_of_program_link(program); !target.empty()) {
    self.called_ = fs::path(program).filename().string();
    self.target_ = target.filename().string();
  }
  self.printed_ = Descriptor(memfd_create("printed", MFD_CLOEXEC));
  int gate[2], trouble[2];
  if (!self.printed_.valid() || pipe2(gate, O_CLOEXEC) != 0)
    return fail(system_error("cannot start " + self.name_, errno));
  Descriptor open_gate(gate[0]);
  self.gate_ = Descriptor(gate[1]);
  if (pipe2(trouble, O_CLOEXEC | O_NONBLOCK) != 0)
    return fail(system_error("cannot start " + self.name_, errno));
  self.trouble_ = Descriptor(trouble[0]);
  const Descriptor tell(trouble[1]);

  std::vector<std::string> words = command;
  std::vector<std::string> variables{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                     "HOME=" + (self.folder_->user() == 0 ? "/root" : self.folder_->path()),
                                     "LC_ALL=C", "TMPDIR=/tmp", "TERM=dumb"};
  if (marks >= 0) variables.push_back(fmt::format("VTAX_WINDOW={}", kMarks));
  std::optional<ProgramConfinement> confinement;
  if (are_programs_confined()) {
    auto made = ProgramConfinement::make(folder_of_programs());
    if (!made) return fail(made.error());
    confinement = std::move(*made);
  }
  const Start start{program,
                    self.folder_.get(),
                    confinement ? &*confinement : nullptr,
                    pointers_into(words),
                    pointers_into(variables),
                    open_gate.get(),
                    self.printed_.get(),
                    tell.get(),
                    marks,
                    traced};
  self.process_ = fork();
  if (self.process_ < 0) return fail(system_error("cannot start " + self.name_, errno));
  if (self.process_ == 0) become_program(start);
  if (confinement)
    if (Result<> entered = confinement->let_in(self.process_, self.gate_.get()); !entered) {
      Error error = entered.error();
      if (int why = 0; read(self.trouble_.get(), &why, sizeof why) == sizeof why)
        error.why += std::string(" (") + std::strerror(why) + ")";
      return fail(std::move(error));
    }
  if (!traced) return self;
  int status = 0;
  while (waitpid(self.process_, &status, __WALL) < 0 && errno == EINTR) {
  }
  constexpr unsigned long kWanted = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                                    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (!WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, self.process_, nullptr, kWanted) != 0 ||
      ptrace(PTRACE_CONT, self.process_, nullptr, nullptr) != 0)
    return fail(system_error("cannot watch " + self.name_, errno));
  return self;
}

ProgramProcess::ProgramProcess(ProgramProcess&& other) noexcept
    : name_(std::move(other.name_)),
      process_(std::exchange(other.process_, -1)),
      status_(other.status_),
      ended_(other.ended_),
      traced_(other.traced_),
      gate_(std::move(other.gate_)),
      printed_(std::move(other.printed_)),
      trouble_(std::move(other.trouble_)),
      called_(std::move(other.called_)),
      target_(std::move(other.target_)),
      folder_(std::move(other.folder_)),
      seen_(std::move(other.seen_)),
      kills_before_(other.kills_before_) {}

ProgramProcess::~ProgramProcess() {
  if (process_ > 0) {
    kill(-process_, SIGKILL);  // children that are left, too
    if (!ended_) {
      kill(process_, SIGKILL);
      int status = 0;
      while (!ended_ && (waitpid(process_, &status, __WALL) >= 0 || errno == EINTR)) {
        ended_ = WIFEXITED(status) || WIFSIGNALED(status);
        // One that is watched stops once more before it dies, and would stay there.
        if (WIFSTOPPED(status)) ptrace(PTRACE_CONT, process_, nullptr, nullptr);
      }
    }
  }
}

void ProgramProcess::begin() {
  const char go = 1;
  static_cast<void>(write(gate_.get(), &go, 1) == 1);
}

Result<int> ProgramProcess::wait_plain(std::chrono::nanoseconds limit, const TimeSoFar& uncounted) {
  std::chrono::nanoseconds granted{0};
  auto watchdog = Watchdog::start(limit);
  if (!watchdog) return fail(watchdog.error());
  int status = 0;
  while (waitpid(process_, &status, 0) < 0) {
    if (errno != EINTR) return fail(system_error("cannot wait for " + name_, errno));
    if (!watchdog->expired()) continue;
    const auto more = (uncounted ? uncounted() : granted) - granted;
    if (more <= std::chrono::nanoseconds(0)) return fail(not_ended_after(limit));
    granted += more;
    if (Result<> prolonged = watchdog->prolong(more); !prolonged) return fail(prolonged.error());
  }
  return status;
}

// Of every process: it stops when it begins, when it becomes another program, at each signal, and at its end.
Result<int> ProgramProcess::wait_traced(std::chrono::nanoseconds limit) {
  const auto watchdog = Watchdog::start(limit);
  if (!watchdog) return fail(watchdog.error());
  std::set<MappedCode> seen;
  std::set<pid_t> known{process_};
  while (true) {
    int status = 0;
    const pid_t who = waitpid(-1, &status, __WALL);
    if (who < 0) {
      if (errno != EINTR) return fail(system_error("cannot wait for " + name_, errno));
      if (watchdog->expired()) return fail(not_ended_after(limit));
      continue;
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (who != process_) continue;
      seen_.assign(seen.begin(), seen.end());
      return status;
    }
    const int event = status >> 16, number = WSTOPSIG(status);
    long signal_of_its_own = 0;
    if (event == PTRACE_EVENT_EXIT) {
      for (MappedCode& code : mapped_code_of(who))
        if (seen.size() < kMostMappings) seen.insert(std::move(code));
    } else if (event == 0 && (known.contains(who) || number != SIGSTOP)) {
      signal_of_its_own = number;
    }
    known.insert(who);
    ptrace(PTRACE_CONT, who, nullptr, signal_of_its_own);
  }
}

Result<> ProgramProcess::wait(std::chrono::nanoseconds limit, const TimeSoFar& uncounted) {
  const Result<int> status = traced_ ? wait_traced(limit) : wait_plain(limit, uncounted);
  if (!status) return fail(failed(status.error().why));
  status_ = *status;
  ended_ = true;
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return {};
  return fail(failed(how_it_ended()));
}

bool ProgramProcess::is_running() {
  if (!ended_ && waitpid(process_, &status_, WNOHANG) == process_) ended_ = true;
  return !ended_;
}

std::string ProgramProcess::how_it_ended() const {
  int why = 0;
  if (read(trouble_.get(), &why, sizeof why) == sizeof why)
    return fmt::format("it cannot be started: {}", std::strerror(why));
  if (WIFSIGNALED(status_) && WTERMSIG(status_) == SIGXFSZ)
    return fmt::format("it wrote more than {} MiB", kMostWrittenBytes >> 20);
  return end_text(status_) + want_of_memory_since(kills_before_, memory_text());
}

std::string ProgramProcess::output(std::size_t most) const {
  std::string text(most, '\0');
  const ssize_t got = pread(printed_.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return printable_text(text);
}

std::string ProgramProcess::last_words() const {
  const off_t size = std::max<off_t>(0, lseek(printed_.get(), 0, SEEK_END));
  std::string text(std::min<std::size_t>(static_cast<std::size_t>(size), kLastWordsBytes), '\0');
  const ssize_t got = pread(printed_.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  text = printable_text(text);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "it said nothing" : "its last words: " + text;
}

Error ProgramProcess::failed(std::string why) const {
  return {"run " + name_, std::move(why) + "; " + last_words(), "", ExitCode::trial_failed};
}

void ProgramProcess::name_as_called(std::vector<MappedCode>& mapped) const {
  for (MappedCode& code : mapped)
    if (!called_.empty() && fs::path(code.file).filename() == target_) code.called = called_;
}

}  // namespace vtax
