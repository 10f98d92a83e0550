#include "workload/iperf3/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "core/interruption.h"
#include "workload/iperf3/lobby.h"
#include "workload/iperf3/server_test_run.h"

namespace vtax::iperf3 {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBrokenTest = 4;
constexpr std::chrono::seconds kFarewell{3};  // of a test's process when the server ends

[[noreturn]] void serve_one(Lobby::Client client, int listener, const ServerOptions& options,
                            const ServerEvents& events) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // it tells its client
  const auto report = run_server_test(Control(std::move(client.connection), "the client"), client.cookie,
                                      listener, options, events);
  if (report) {
    events.done(*report);
    _exit(0);
  }
  events.note("a test failed: " + report.error().text());
  _exit(kBrokenTest);
}

// Waits for the test's process, and ends it when this one has to.
Result<bool> await_test(pid_t child, Clock::time_point end) {
  const Descriptor ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  std::optional<Clock::time_point> told;
  while (true) {
    int status = 0;
    const pid_t gone = waitpid(child, &status, WNOHANG);
    if (gone == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (gone < 0 && errno != EINTR) return fail(system_error("wait for a test's process", errno));
    const auto now = Clock::now();
    if (!told && (interrupted() || now > end)) {
      kill(child, SIGTERM);
      told = now;
    }
    if (told && now - *told > kFarewell) kill(child, SIGKILL);
    std::array<pollfd, 2> waiting{{{ended.get(), POLLIN, 0}, {told ? -1 : interruption_fd(), POLLIN, 0}}};
    poll(waiting.data(), waiting.size(), ended.valid() ? 200 : 10);
  }
}

}  // namespace

Result<> serve(const ServerOptions& options, const ServerEvents& events) {
  SocketSettings sockets;
  sockets.congestion = "";
  sockets.no_delay = false;
  auto listener = tcp_listen(options.at, sockets);
  if (!listener) return fail(listener.error());
  const auto port = tcp_port(listener->get());
  if (!port) return fail(port.error());
  ServerOptions bound = options;
  bound.at.port = *port;
  events.note(fmt::format("listening on {} port {}", options.at.host, *port));
  const Clock::time_point end =
      options.lifetime.count() == 0 ? Clock::time_point::max() : Clock::now() + options.lifetime;
  Lobby lobby;
  while (!interrupted() && Clock::now() < end) {
    std::vector<pollfd> waiting{{listener->get(), POLLIN, 0}, {interruption_fd(), POLLIN, 0}};
    lobby.watch(waiting);
    const int ready = poll(waiting.data(), waiting.size(), 200);
    const bool more = ready > 0 && (waiting[0].revents & POLLIN) != 0;
    if (more) lobby.admit(listener->get());
    auto client = lobby.next();
    // Half a cookie is readable all the time that the rest does not come.
    if (!client && ready > 0 && !more) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (!client) continue;
    lobby.dismiss();
    const pid_t child = fork();
    if (child < 0) return fail(system_error("cannot start a test", errno));
    if (child == 0) serve_one(std::move(*client), listener->get(), bound, events);
    client.reset();
    const auto done = await_test(child, end);
    if (!done) return fail(done.error());
    if (options.one_test && *done) break;
  }
  return {};
}

}  // namespace vtax::iperf3
