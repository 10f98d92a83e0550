#include "core/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "core/descriptor.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Descriptor read;
  Descriptor write;
};

bool open_pipe(Pipe& pipe) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  pipe.read = Descriptor(ends[0]);
  pipe.write = Descriptor(ends[1]);
  return true;
}

// Where a stream goes that nobody reads while it is written: both ends are the file.
bool open_memory(Pipe& file) {
  file.read = Descriptor(::memfd_create("output", MFD_CLOEXEC));
  file.write = Descriptor(::fcntl(file.read.get(), F_DUPFD_CLOEXEC, 0));
  return file.write.valid();
}

std::vector<std::string> merged_environment(const std::vector<std::string>& additions) {
  std::vector<std::string> merged = additions;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view own = *entry;
    const std::string_view name = own.substr(0, own.find('=') + 1);
    if (std::none_of(additions.begin(), additions.end(), [&](const auto& a) { return a.starts_with(name); }))
      merged.emplace_back(own);
  }
  return merged;
}

// Between fork and exec only what is safe after a fork from a process with threads: so the path and the
// pointers are made before.
std::string find_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    std::string candidate = std::string(folder) + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// `parent`: with which it dies; 0: with nobody.
[[noreturn]] void run_child(const char* program, char* const* arguments, char* const* environment,
                            const char* directory, int out, int err, int failure, pid_t parent) {
  ::setpgid(0, 0);
  if (parent != 0) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool ready = (parent == 0 || ::getppid() == parent) && nothing >= 0 && ::dup2(nothing, 0) >= 0 &&
                     ::dup2(out, 1) >= 0 && ::dup2(err, 2) >= 0 &&
                     (*directory == '\0' || ::chdir(directory) == 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (ready) ::execve(program, arguments, environment);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure, &reason, sizeof reason);
  ::_exit(127);
}

// Reads what is there; false at the end of the stream.
bool drain(const Descriptor& from, std::string& into, std::size_t limit) {
  std::array<char, 65536> piece;
  const ssize_t got = ::read(from.get(), piece.data(), piece.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  into.append(piece.data(), std::min(static_cast<std::size_t>(got), limit - into.size()));
  return got > 0;
}

void collect(const Command& command, pid_t child, Pipe& out, Pipe& err, Finished& finished) {
  const auto deadline = Clock::now() + command.time_limit;
  while (out.read.valid() || err.read.valid()) {
    std::array<pollfd, 2> waits = {pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      finished.timed_out = true;
      ::kill(-child, SIGKILL);
      return;
    }
    ::poll(waits.data(), waits.size(), static_cast<int>(std::min<long>(left, 60'000)));
    if (waits[0].revents != 0 && !drain(out.read, finished.out, command.output_limit)) out.read.reset();
    if (waits[1].revents != 0 && !drain(err.read, finished.err, command.output_limit)) err.read.reset();
  }
}

// The end of the program itself, whatever still holds its output.
void await(const Command& command, pid_t child, Finished& finished) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const auto deadline = Clock::now() + command.time_limit;
  pollfd ended{process.get(), POLLIN, 0};
  while (ended.revents == 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || !process.valid()) {
      finished.timed_out = true;
      ::kill(-child, SIGKILL);
      return;
    }
    ::poll(&ended, 1, static_cast<int>(std::min<long>(left, 60'000)));
  }
}

std::string text_of(const Descriptor& file, std::size_t limit) {
  std::string text;
  std::array<char, 65536> piece;
  while (text.size() < limit) {
    const ssize_t got = ::pread(file.get(), piece.data(), std::min(piece.size(), limit - text.size()),
                                static_cast<off_t>(text.size()));
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

Result<Finished> run_command(const Command& command) {
  const std::string& name = command.arguments.at(0);
  const std::string what = "cannot run " + name;
  const std::string program = find_program(name);
  if (program.empty()) return fail({what, "there is no such program in PATH", "", ExitCode::unavailable});
  std::vector<std::string> texts = command.arguments;
  std::vector<std::string> environment_texts = merged_environment(command.environment);
  const std::vector<char*> arguments = pointers(texts);
  const std::vector<char*> environment = pointers(environment_texts);
  Pipe out;
  Pipe err;
  Pipe failure;
  const auto open_stream = command.outlives ? open_memory : open_pipe;
  if (!open_stream(out) || !open_stream(err) || !open_pipe(failure)) return fail(system_error(what, errno));

  const pid_t parent = command.outlives ? 0 : ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(system_error(what, errno));
  if (child == 0)
    run_child(program.c_str(), arguments.data(), environment.data(), command.directory.c_str(),
              out.write.get(), err.write.get(), failure.write.get(), parent);
  ::setpgid(child, child);  // whoever of the two is first
  out.write.reset();
  err.write.reset();
  failure.write.reset();

  Finished finished;
  if (command.outlives)
    await(command, child, finished);
  else
    collect(command, child, out, err, finished);
  int reason = 0;
  const bool not_started = ::read(failure.read.get(), &reason, sizeof reason) == sizeof reason;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (command.outlives) {
    finished.out = text_of(out.read, command.output_limit);
    finished.err = text_of(err.read, command.output_limit);
  }
  if (not_started) {
    Error error = system_error(what, reason);
    if (reason == ENOENT) error.code = ExitCode::unavailable;
    return fail(std::move(error));
  }
  finished.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return finished;
}

std::string last_lines(const std::string& text, std::size_t lines) {
  std::string out;
  std::size_t end = text.size();
  while (lines > 0 && end > 0) {
    const std::size_t newline = text.rfind('\n', end - 1);
    const std::size_t start = newline == std::string::npos ? 0 : newline + 1;
    if (start < end) {
      out = text.substr(start, end - start) + (out.empty() ? "" : "\n" + out);
      --lines;
    }
    end = newline == std::string::npos ? 0 : newline;
  }
  return out;
}

}  // namespace vtax
