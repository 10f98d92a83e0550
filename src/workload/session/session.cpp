#include "workload/session/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>

#include "core/interruption.h"
#include "workload/session/handshake.h"
#include "workload/traffic/endpoint.h"

namespace vtax {
namespace {

constexpr std::chrono::seconds kConnectLimit{10};
// Beyond a timed order's time. A stream's end has to get through what buffers hold, on a slow link; an
// exchange is one message each way, and some lost ones.
constexpr std::chrono::seconds kStreamLimit{60}, kExchangeLimit{10};
constexpr std::chrono::hours kAmountLimit{24};  // of a fixed amount

// An interval on its way through the pipe; a write of it is whole or nothing (PIPE_BUF).
struct ToldInterval {
  std::int64_t start_ns, end_ns;
  std::uint64_t bytes, transactions;
};

// Hands on what comes through the pipe while it lives; what an earlier order left there is thrown away.
class IntervalListener {
 public:
  IntervalListener(int fd, const std::function<void(const IntervalReport&)>& on_interval)
      : fd_(fd), on_interval_(on_interval) {
    while (read_one()) {
    }
    if (on_interval_) thread_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
  }

 private:
  void listen(const std::stop_token& stop) {
    constexpr int kBetweenLooksMs = 50;
    while (!stop.stop_requested()) {
      pollfd ready{fd_, POLLIN, 0};
      poll(&ready, 1, kBetweenLooksMs);
      while (const auto one = read_one()) on_interval_(*one);
    }
    while (const auto one = read_one()) on_interval_(*one);
  }

  [[nodiscard]] std::optional<IntervalReport> read_one() const {
    ToldInterval told{};
    if (read(fd_, &told, sizeof told) != static_cast<ssize_t>(sizeof told)) return std::nullopt;
    return IntervalReport{std::chrono::nanoseconds(told.start_ns), std::chrono::nanoseconds(told.end_ns),
                          Bytes(told.bytes), Transactions(told.transactions)};
  }

  int fd_;
  const std::function<void(const IntervalReport&)>& on_interval_;
  std::jthread thread_;
};

// An own process, so that its CPU time is the endpoint's alone, and so that it can be ended whatever it waits
// for.
Result<pid_t> start_local(Descriptor& here, Descriptor& intervals) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail(system_error("cannot start the local endpoint", errno));
  here = Descriptor(pair[0]);
  Descriptor there(pair[1]);
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return fail(system_error("cannot start the local endpoint", errno));
  intervals = Descriptor(pipe_ends[0]);
  const Descriptor told(pipe_ends[1]);
  const pid_t child = fork();
  if (child < 0) return fail(system_error("cannot start the local endpoint", errno));
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, SIG_IGN);  // the parent decides
  here.reset();
  intervals.reset();
  Endpoint endpoint(ControlChannel(std::move(there), "the controller"));
  // Who does not listen is not waited for.
  endpoint.tell_intervals([&told](const IntervalReport& one) {
    const ToldInterval text{one.start.count(), one.end.count(), one.bytes.value, one.transactions.value};
    [[maybe_unused]] const ssize_t written = write(told.get(), &text, sizeof text);
  });
  static_cast<void>(endpoint.serve());
  _exit(0);
}

std::chrono::nanoseconds limit_of(const Order& order) {
  if (order.duration.count() == 0) return kAmountLimit;
  return is_stream(order.kind) ? kStreamLimit : kExchangeLimit;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const SessionOptions& options, const Secret& secret) {
  const std::string server = host_and_port(options.host, options.port);
  const auto watchdog = Watchdog::start(options.patience);
  if (!watchdog) return fail(watchdog.error());
  auto connection = tcp_connect({options.host, options.port}, 0, {}, *watchdog);
  if (!connection) {
    Error error = connection.error();
    if (error.code == ExitCode::usage)
      return fail(std::move(error));  // it says what is wrong with the address
    error.next = fmt::format("start a server there: vtax workload server --bind {} --port {}", options.host,
                             options.port);
    return fail(std::move(error));
  }
  ControlChannel channel(std::move(*connection), "the server at " + server);
  channel.end_on_interruption();
  if (Result<> known = shake_hands_as_client(channel, secret, options.patience); !known)
    return fail(known.error());
  Descriptor here, intervals;
  const auto process = start_local(here, intervals);
  if (!process) return fail(process.error());
  ControlChannel local(std::move(here), "the client");
  local.end_on_interruption();
  return std::unique_ptr<Session>(new Session(options, EndpointClient(std::move(channel)),
                                              EndpointClient(std::move(local)), std::move(intervals),
                                              *process));
}

Session::~Session() {
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<Repeat> Session::run(const Order& order,
                            const std::function<void(const IntervalReport&)>& on_interval) {
  const IntervalListener listener(intervals_.get(), on_interval);
  return run_on_flows(order);
}

Result<Repeat> Session::run_on_flows(const Order& order) {
  const auto random = random_text(16);
  if (!random) return fail(random.error());
  const auto token = flow_token(JsonFields("token", {{"token", *random}}), "token");
  if (!token) return fail(token.error());
  const FlowSetup setup{order.flows, is_udp(order.kind), *token, order.sockets};
  const auto port = remote_.listen({options_.host, 0}, setup);
  if (!port) return fail(port.error());
  Result<> step = remote_.tell_accept(setup, false, kConnectLimit);
  if (step) step = local_.connect({options_.host, *port}, 0, setup, kConnectLimit);
  if (!step) return fail(step.error());
  if (const auto accepted = remote_.wait_for("done", kConnectLimit); !accepted) return fail(accepted.error());

  RunRequest responder, initiator;
  responder.order = initiator.order = order;
  responder.limit = initiator.limit = limit_of(order);
  initiator.initiator = true;
  responder.stoppable = initiator.stoppable = order.duration.count() != 0;
  step = remote_.start(responder);
  if (step) step = local_.start(initiator);
  if (!step) return fail(step.error());
  auto here = local_.finish(initiator);
  if (!here && here.error().code == ExitCode::interrupted && initiator.stoppable) {
    // Both at once: whoever sends ends what the other waits for.
    if (!remote_.stop() || !local_.stop()) return fail(interruption_error());
    here = local_.finish(initiator);
  }
  if (!here) return fail(interrupted() ? interruption_error() : here.error());
  auto there = remote_.finish(responder);
  if (!there) return fail(interrupted() ? interruption_error() : there.error());
  const bool server_receives = is_stream(order.kind) && order.direction == Direction::send;
  if (server_receives) return Repeat{std::move(there->side), std::move(here->side)};
  return Repeat{std::move(here->side), std::move(there->side)};
}

}  // namespace vtax
