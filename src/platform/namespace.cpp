#include "platform/namespace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>

namespace vtax {

Result<Descriptor> namespace_of(pid_t process) {
  const std::string path =
      process == 0 ? "/proc/thread-self/ns/net" : fmt::format("/proc/{}/ns/net", process);
  Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail(system_error("cannot open " + path, errno));
  return fd;
}

Result<NamespaceScope> NamespaceScope::enter(int network_namespace) {
  Result<Descriptor> home = namespace_of(0);
  if (!home) return fail(home.error());
  if (setns(network_namespace, CLONE_NEWNET) != 0) {
    return fail(system_error("cannot enter a network namespace", errno));
  }
  return NamespaceScope(std::move(*home));
}

NamespaceScope::~NamespaceScope() {
  // To go on in the wrong namespace would configure the wrong machine.
  if (home_.valid() && setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

}  // namespace vtax
