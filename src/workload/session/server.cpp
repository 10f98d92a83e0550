#include <fcntl.h>
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
#include "workload/session/handshake.h"
#include "workload/session/lobby.h"
#include "workload/session/session.h"
#include "workload/traffic/endpoint.h"

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

[[noreturn]] void serve_session(Lobby::Client client, const ServerOptions& options, const Secret& secret) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_DFL);
  const int control = client.connection.get();
  ControlChannel channel(std::move(client.connection), "the client");
  if (!channel.send(welcome_with(client.challenge, secret))) _exit(1);
  end_with_client(control);
  Endpoint::Limits limits;
  limits.host = options.host;
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
    on_event_("a session has ended");
    if ((flags & WNOHANG) != 0) reap(flags);
  }

 private:
  const std::function<void(const std::string&)>& on_event_;
  std::vector<pid_t> running_;
};

// A line a second at most, whatever strangers do.
class StrangerNews {
 public:
  explicit StrangerNews(const std::function<void(const std::string&)>& on_event) : on_event_(on_event) {}
  void add(std::uint64_t refused) {
    count_ += refused;
    const auto now = Clock::now();
    if (count_ == 0 || now < next_) return;
    on_event_(count_ == 1 ? "a connection without the token was refused"
                          : fmt::format("{} connections without the token were refused", count_));
    count_ = 0;
    next_ = now + std::chrono::seconds(1);
  }

 private:
  const std::function<void(const std::string&)>& on_event_;
  std::uint64_t count_ = 0;
  Clock::time_point next_{};
};

}  // namespace

Result<> serve_sessions(const ServerOptions& options, const Secret& secret,
                        const std::function<void(const std::string&)>& on_event) {
  auto listener = tcp_listen({options.host, options.port});
  if (!listener) return fail(listener.error());
  const auto port = tcp_port(listener->get());
  if (!port) return fail(port.error());
  if (fcntl(listener->get(), F_SETFL, O_NONBLOCK) != 0)
    return fail(system_error("cannot wait for clients", errno));
  on_event(fmt::format("listening on {} port {}", options.host, *port));
  const Clock::time_point end =
      options.lifetime.count() == 0 ? Clock::time_point::max() : Clock::now() + options.lifetime;
  Sessions sessions(on_event);
  Lobby lobby(secret);
  StrangerNews strangers(on_event);
  while (!interrupted() && Clock::now() < end) {
    std::vector<pollfd> waiting{{listener->get(), POLLIN, 0}, {interruption_fd(), POLLIN, 0}};
    lobby.watch(waiting);
    poll(waiting.data(), waiting.size(), 200);
    sessions.reap(WNOHANG);
    lobby.admit(listener->get());
    while (auto client = lobby.next()) {
      if (sessions.count() >= options.most_sessions) {
        static_cast<void>(
            ControlChannel(std::move(client->connection), "the client").send({{"state", "full"}}));
        on_event("a client was sent away: as many sessions as may be are running");
        continue;
      }
      const pid_t child = fork();
      if (child < 0) return fail(system_error("cannot start a session", errno));
      if (child == 0) {
        listener->reset();
        serve_session(std::move(*client), options, secret);
      }
      sessions.add(child);
      on_event("a session has begun");
    }
    strangers.add(lobby.take_refused());
  }
  return {};
}

}  // namespace vtax
