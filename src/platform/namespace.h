#pragma once

#include <sys/types.h>

#include "core/descriptor.h"
#include "core/result.h"

namespace vtax {

// The network namespace of a process; 0 is the caller.
[[nodiscard]] Result<Descriptor> namespace_of(pid_t process);

// The calling thread is in another network namespace while this lives: its sockets and /proc/self/net are
// that one's.
class NamespaceScope {
 public:
  [[nodiscard]] static Result<NamespaceScope> enter(int network_namespace);
  NamespaceScope(NamespaceScope&&) = default;
  NamespaceScope& operator=(NamespaceScope&&) = delete;
  ~NamespaceScope();

 private:
  explicit NamespaceScope(Descriptor home) : home_(std::move(home)) {}
  Descriptor home_;
};

}  // namespace vtax
