#include <fcntl.h>
#include <fmt/format.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "core/interruption.h"
#include "profile/agent.h"
#include "profile/inside_books.h"
#include "profile/inside_wire.h"
#include "profile/wire.h"
#include "workload/session/handshake.h"
#include "workload/session/lobby.h"
#include "workload/traffic/tcp_socket.h"

namespace vtax::profile {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostClients = 4;
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::hours kBetweenReadings{25};  // `vtax top -d` takes a day

Result<Descriptor> listen_on_vsock(std::uint32_t port) {
  const std::string what = fmt::format("cannot listen on vsock port {}", port);
  Descriptor listener(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_ANY;
  address.svm_port = port;
  constexpr int kWaiting = 16;
  if (!listener.valid() ||
      bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener.get(), kWaiting) != 0) {
    Error error = system_error(what, errno);
    error.next = "the guest needs a vsock device and the module vmw_vsock_virtio_transport; or use --bind";
    error.code = ExitCode::unavailable;
    return fail(std::move(error));
  }
  return listener;
}

// The process ends with its client, whatever it is at.
void end_with(int client) {
  std::thread([client] {
    while (true) {
      pollfd waiting{client, POLLRDHUP, 0};
      if (poll(&waiting, 1, -1) > 0) _exit(0);
    }
  }).detach();
}

// For as long as the client asks.
Result<> tell_inside(ControlChannel& channel, InsideBooks books) {
  while (true) {
    const auto use = books.read();
    if (!use) return fail(use.error());
    if (auto sent = channel.send(inside_message(*use)); !sent) return sent;
    const auto order = channel.receive(kBetweenReadings);
    if (!order) return fail(order.error());
    if (!is_inside_order(*order)) return fail(order->bad("it is no order to tell what goes on"));
  }
}

Result<> obey(ControlChannel& channel) {
  // Whoever will ask what goes on counts from here.
  auto books = InsideBooks::open();
  const auto order = channel.receive(kPatience);
  if (!order) return fail(order.error());
  if (is_inside_order(*order)) {
    if (!books) return fail(books.error());
    return tell_inside(channel, std::move(*books));
  }
  const auto options = read_order(*order);
  if (!options) return fail(options.error());
  auto monitor = Monitor::open(*options);
  if (!monitor) return fail(monitor.error());
  if (auto sent =
          channel.send({{"state", "ready"}, {"cpus", monitor->cpus()}, {"period", monitor->period()}});
      !sent)
    return sent;
  const auto go = channel.receive(kPatience);
  if (!go) return fail(go.error());
  if (const auto said = go->text("order", 32); !said || *said != "go")
    return fail(go->bad("it is no order to go"));
  if (auto started = monitor->start(); !started) return started;
  monitor->run();
  for (const auto& message : messages_of(monitor->finish()))
    if (auto sent = channel.send(message); !sent) return sent;
  return {};
}

[[noreturn]] void serve(Lobby::Client client, const Secret& secret) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_DFL);
  const int connection = client.connection.get();
  ControlChannel channel(std::move(client.connection), "the client");
  if (!channel.send(welcome_with(client.challenge, secret))) _exit(1);
  end_with(connection);
  if (auto made = obey(channel); !made)
    static_cast<void>(channel.send({{"state", "failed"}, {"why", made.error().text().substr(0, 500)}}));
  _exit(0);
}

class Children {
 public:
  ~Children() {
    for (const pid_t one : running_) kill(one, SIGKILL);
    for (const pid_t one : running_) waitpid(one, nullptr, 0);
  }
  void add(pid_t process) { running_.push_back(process); }
  void reap() {
    std::erase_if(running_, [](pid_t one) { return waitpid(one, nullptr, WNOHANG) != 0; });
  }
  [[nodiscard]] std::size_t count() const { return running_.size(); }

 private:
  std::vector<pid_t> running_;
};

}  // namespace

Result<> serve_profiles(const AgentOptions& options, const Secret& secret,
                        const std::function<void(const std::string&)>& on_event) {
  std::vector<Descriptor> listeners;
  if (options.tcp) {
    auto listener = tcp_listen({options.host, options.port});
    if (!listener) return fail(listener.error());
    const auto port = tcp_port(listener->get());
    if (!port) return fail(port.error());
    listeners.push_back(std::move(*listener));
    on_event(fmt::format("listening on {} port {}", options.host, *port));
  }
  if (options.vsock_port) {
    auto listener = listen_on_vsock(*options.vsock_port);
    if (!listener) return fail(listener.error());
    listeners.push_back(std::move(*listener));
    on_event(fmt::format("listening on vsock port {}", *options.vsock_port));
  }
  for (const Descriptor& one : listeners)
    if (fcntl(one.get(), F_SETFL, O_NONBLOCK) != 0)
      return fail(system_error("cannot wait for clients", errno));
  const auto end = options.lifetime.count() == 0 ? Clock::time_point::max() : Clock::now() + options.lifetime;
  Children children;
  Lobby lobby(secret);
  std::uint64_t refused = 0;
  auto next_news = Clock::now();
  while (!interrupted() && Clock::now() < end) {
    std::vector<pollfd> waiting{{interruption_fd(), POLLIN, 0}};
    for (const Descriptor& one : listeners) waiting.push_back({one.get(), POLLIN, 0});
    lobby.watch(waiting);
    poll(waiting.data(), waiting.size(), 200);
    children.reap();
    for (const Descriptor& one : listeners) lobby.admit(one.get());
    while (auto client = lobby.next()) {
      if (children.count() >= kMostClients) {
        static_cast<void>(
            ControlChannel(std::move(client->connection), "the client").send({{"state", "full"}}));
        on_event("a client was sent away: there are as many as may be");
        continue;
      }
      const pid_t child = fork();
      if (child < 0) return fail(system_error("cannot serve a client", errno));
      if (child == 0) {
        listeners.clear();
        serve(std::move(*client), secret);
      }
      children.add(child);
      on_event("a client has come");
    }
    refused += lobby.take_refused();
    if (refused > 0 && Clock::now() >= next_news) {
      on_event(fmt::format("refused without the token: {}", std::exchange(refused, 0)));
      next_news = Clock::now() + std::chrono::seconds(1);
    }
  }
  return {};
}

}  // namespace vtax::profile
