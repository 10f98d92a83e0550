#include "machine/host/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "core/descriptor.h"
#include "core/interruption.h"
#include "core/kernel_file.h"

namespace vtax::host {
namespace {

using nlohmann::json;

int outer_proc_descriptor = -1;  // of this process, once it is in a sandbox

constexpr std::size_t kMostAnswerBytes = 16 << 20;

Error not_allowed(const char* what, int why) {
  Error error = system_error(what, why);
  error.next = "vtax doctor says what this computer needs for studies on itself";
  error.code = ExitCode::unavailable;
  return error;
}

// As root with its namespaces if that is allowed; otherwise in a user namespace, in which this user is root.
Result<> enter_namespaces() {
  constexpr int kWanted = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS;
  if (unshare(kWanted) == 0) return {};
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (errno != EPERM || unshare(kWanted | CLONE_NEWUSER) != 0)
    return fail(not_allowed("cannot make namespaces for the trial", errno));
  Result<> done = write_kernel_file("/proc/self/setgroups", "deny");
  if (done) done = write_kernel_file("/proc/self/uid_map", fmt::format("0 {} 1", user));
  if (done) done = write_kernel_file("/proc/self/gid_map", fmt::format("0 {} 1", group));
  return done;
}

Result<> mount_own() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail(not_allowed("cannot make the mounts private", errno));
  outer_proc_descriptor = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    return fail(not_allowed("cannot mount /proc for the trial's processes", errno));
  // User Mode Linux maps its memory from here, and executes it.
  if (mount("tmpfs", kScratchDirectory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") != 0)
    return fail(not_allowed("cannot mount the trial's own folder", errno));
  return {};
}

bool send_line(int to, const json& message) {
  const std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t now = send(to, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return false;
    sent += static_cast<std::size_t>(now);
  }
  return true;
}

json to_json(const Error& error) {
  return {{"error",
           {{"what", error.what},
            {"why", error.why},
            {"next", error.next},
            {"code", static_cast<int>(error.code)}}}};
}

// Process 1 of the namespaces.
[[noreturn]] void be_inside(const SandboxedWork& work, int to) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const TellStep progress = [to](const std::string& step) {
    if (!send_line(to, {{"step", step}})) _exit(1);  // nobody listens any more
  };
  // Also proves that the parent was still there when the signal above was asked for.
  progress("");
  Result<json> done;
  if (Result<> mounted = mount_own(); mounted)
    done = work(progress);
  else
    done = fail(mounted.error());
  static_cast<void>(send_line(to, done ? json{{"result", std::move(*done)}} : to_json(done.error())));
  _exit(0);
}

// The process between this one and the sandbox: it waits until nothing is left of the sandbox.
[[noreturn]] void be_between(const SandboxedWork& work, int to, pid_t parent) {
  setpgid(0, 0);  // Ctrl-C reaches vtax alone
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  if (Result<> entered = enter_namespaces(); !entered) {
    static_cast<void>(send_line(to, to_json(entered.error())));
    _exit(1);
  }
  const pid_t inside = fork();
  if (inside == 0) be_inside(work, to);
  if (inside < 0 || !send_line(to, {{"inside", inside}})) _exit(1);
  while (waitpid(inside, nullptr, 0) < 0 && errno == EINTR) {
  }
  _exit(0);
}

Error error_from(const json& message) {
  const json error = message.value("error", json::object());
  Error out;
  out.what = error.value("what", "");
  out.why = error.value("why", "");
  out.next = error.value("next", "");
  out.code = static_cast<ExitCode>(error.value("code", static_cast<int>(ExitCode::trial_failed)));
  return out;
}

// This side: takes the sandbox's messages until the answer.
class Listener {
 public:
  Listener(int from, const TellStep& progress) : from_(from), progress_(progress) {}

  Result<json> listen(std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (true) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return fail(failed(fmt::format("it was not over after {} s", limit.count())));
      pollfd ready[2] = {{from_, POLLIN, 0}, {interruption_fd(), POLLIN, 0}};
      const int count = poll(ready, 2, static_cast<int>(left.count()));
      if (interrupted()) return fail(interruption_error());
      if (count <= 0 || ready[0].revents == 0) continue;
      char buffer[65536];
      const ssize_t got = recv(from_, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return fail(failed("its process ended"));
      pending_.append(buffer, static_cast<std::size_t>(got));
      if (pending_.size() > kMostAnswerBytes) return fail(failed("its answer is too long"));
      if (auto answer = take_lines()) return std::move(*answer);
    }
  }

  [[nodiscard]] pid_t inside() const { return inside_; }

 private:
  static Error failed(std::string why) {
    return {"run the trial in its namespaces", std::move(why), "", ExitCode::trial_failed};
  }

  std::optional<Result<json>> take_lines() {
    for (std::size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
      const json message = json::parse(pending_.substr(0, end), nullptr, false);
      pending_.erase(0, end + 1);
      if (!message.is_object()) return fail(failed("its answer is no JSON object"));
      if (message.contains("result")) return message["result"];
      if (message.contains("error")) return fail(error_from(message));
      if (message.contains("inside")) inside_ = message["inside"].get<pid_t>();
      if (const std::string step = message.value("step", ""); !step.empty()) progress_(step);
    }
    return std::nullopt;
  }

  int from_;
  const TellStep& progress_;
  std::string pending_;
  pid_t inside_ = -1;
};

}  // namespace

std::filesystem::path outer_proc() {
  if (outer_proc_descriptor < 0) return {};
  return fmt::format("/proc/self/fd/{}", outer_proc_descriptor);
}

Result<json> run_in_sandbox(const SandboxedWork& work, const TellStep& progress, std::chrono::seconds limit) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(system_error("cannot start the trial", errno));
  Descriptor here(pair[0]), there(pair[1]);
  const pid_t parent = getpid();
  const pid_t between = fork();
  if (between < 0) return fail(system_error("cannot start the trial", errno));
  if (between == 0) {
    here.reset();
    be_between(work, there.get(), parent);
  }
  there.reset();
  Listener listener(here.get(), progress);
  Result<json> answer = listener.listen(limit);
  // It ends by itself after its answer; in all other cases this ends it.
  if (!answer) kill(listener.inside() > 0 ? listener.inside() : between, SIGKILL);
  while (waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  return answer;
}

}  // namespace vtax::host
