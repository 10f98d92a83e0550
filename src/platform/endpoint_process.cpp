#include "platform/endpoint_process.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "platform/namespace.h"
#include "platform/placement.h"
#include "platform/quiet.h"

namespace vtax {
namespace {

Result<> prepare(const EndpointProcess::Options& options) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed controller leaves no endpoint behind
  if (Result<> pinned = pin(0, options.cpu); !pinned) return pinned;
  using Network = EndpointProcess::Options::Network;
  if (options.network == Network::callers) return {};
  if (options.network == Network::shared) {
    if (setns(options.shared_namespace, CLONE_NEWNET) == 0) return {};
    return fail(system_error("cannot enter a network namespace", errno));
  }
  if (unshare(CLONE_NEWNET) != 0) {
    Error error = system_error("cannot make a network namespace", errno);
    error.next = "run as root, or allow user namespaces";
    error.code = ExitCode::unavailable;
    return fail(std::move(error));
  }
  return quieten_namespace();
}

[[noreturn]] void serve(const EndpointProcess::Options& options, Descriptor control) {
  ControlChannel channel(std::move(control), "the controller");
  if (Result<> ready = prepare(options); !ready) {
    static_cast<void>(channel.send(error_message(ready.error())));
    _exit(1);
  }
  if (!channel.send({{"state", "ready"}})) _exit(1);
  static_cast<void>(
      Endpoint(std::move(channel), options.more).serve());  // ends with the controller's end of the channel
  _exit(0);
}

}  // namespace

Result<EndpointProcess> EndpointProcess::start(const Options& options) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return fail(system_error("cannot start " + options.name, errno));
  }
  Descriptor here(pair[0]), there(pair[1]);
  const pid_t child = fork();
  if (child < 0) return fail(system_error("cannot start " + options.name, errno));
  if (child == 0) {
    here.reset();
    serve(options, std::move(there));
  }
  there.reset();
  EndpointProcess process(child, EndpointClient(ControlChannel(std::move(here), options.name)));
  const auto ready = process.client_.wait_for("ready", std::chrono::seconds(10));
  if (!ready) return fail(ready.error());
  Result<Descriptor> network = namespace_of(child);
  if (!network) return fail(network.error());
  process.namespace_ = std::move(*network);
  return process;
}

EndpointProcess::EndpointProcess(EndpointProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      client_(std::move(other.client_)),
      namespace_(std::move(other.namespace_)) {}

EndpointProcess::~EndpointProcess() {
  if (process_ < 0) return;
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace vtax
