#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>
#include <vector>

#include "core/interruption.h"
#include "workload/endpoint.h"
#include "workload/session/handshake.h"
#include "workload/session/session.h"

namespace vtax {
namespace {

using Clock = std::chrono::steady_clock;

// A session whose client has gone ends at once, whatever its flows wait for.
void end_with_client(int control) {
  std::thread([control] {
    while (true) {
      pollfd waiting{control, POLLRDHUP, 0};
      if (poll(&waiting, 1, -1) > 0) _exit(0);
    }
  }).detach();
}

[[noreturn]] void serve_session(Descriptor connection, const ServerOptions& options, const Secret& secret) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_DFL);
  const int control = connection.get();
  ControlChannel channel(std::move(connection), "the client");
  if (!shake_hands_as_server(channel, secret)) _exit(3);
  end_with_client(control);
  Endpoint::Limits limits;
  limits.ipv4 = options.ipv4;
  limits.data_port = options.data_port;
  static_cast<void>(Endpoint(std::move(channel), {}, limits).serve());
  _exit(0);
}

class Sessions {
 public:
  explicit Sessions(const std::function<void(const std::string&)>& on_event) : on_event_(on_event) {}
  ~Sessions() {
    for (const pid_t one : running_) kill(one, SIGKILL);
    while (!running_.empty()) reap(0);
  }

  void add(pid_t process) { running_.push_back(process); }
  [[nodiscard]] int count() const { return static_cast<int>(running_.size()); }

  void reap(int flags) {
    int status = 0;
    const pid_t gone = waitpid(-1, &status, flags);
    if (gone <= 0) {
      if (gone < 0 && errno != EINTR) running_.clear();
      return;
    }
    std::erase(running_, gone);
    const bool refused = WIFEXITED(status) && WEXITSTATUS(status) == 3;
    on_event_(refused ? "a connection without the token was refused" : "a session has ended");
    if ((flags & WNOHANG) != 0) reap(flags);
  }

 private:
  const std::function<void(const std::string&)>& on_event_;
  std::vector<pid_t> running_;
};

}  // namespace

Result<> serve_sessions(const ServerOptions& options, const Secret& secret,
                        const std::function<void(const std::string&)>& on_event) {
  auto listener = tcp_listen({options.ipv4, options.port});
  if (!listener) return fail(listener.error());
  const auto port = tcp_port(listener->get());
  if (!port) return fail(port.error());
  on_event(fmt::format("listening on {} port {}", options.ipv4, *port));
  const Clock::time_point end =
      options.lifetime.count() == 0 ? Clock::time_point::max() : Clock::now() + options.lifetime;
  Sessions sessions(on_event);
  while (!interrupted() && Clock::now() < end) {
    std::array<pollfd, 2> waiting{{{listener->get(), POLLIN, 0}, {interruption_fd(), POLLIN, 0}}};
    const int ready = poll(waiting.data(), waiting.size(), 200);
    sessions.reap(WNOHANG);
    if (ready <= 0 || (waiting[0].revents & POLLIN) == 0) continue;
    Descriptor connection(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    if (sessions.count() >= options.most_sessions) {
      static_cast<void>(ControlChannel(std::move(connection), "the client").send({{"state", "full"}}));
      on_event("a connection was refused: as many sessions as may be are running");
      continue;
    }
    const pid_t child = fork();
    if (child < 0) return fail(system_error("cannot start a session", errno));
    if (child == 0) {
      listener->reset();
      serve_session(std::move(connection), options, secret);
    }
    sessions.add(child);
    on_event("a session has begun");
  }
  return {};
}

}  // namespace vtax
