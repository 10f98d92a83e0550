#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "core/result.h"
#include "machine/host/xen_toolstack.h"
#include "platform/xen_guest.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax::host {

// What its process is called.
inline constexpr char kXenKeeperName[] = "vtax-xen-keeper";

// A process of its own session that makes and destroys a trial's domains by the computer's own `xl`. A domain
// is no process and would stay when vtax is killed; the keeper outlives vtax for that: when nobody holds the
// other end of its channel any more (this program or its sandbox), however they ended, it destroys every
// domain that it was asked to make, and ends. What `xl` is about is always finished first: nothing is left
// half made. `xl` itself stays in the background for each domain, and destroys it when it ends by itself.
class XenKeeper {
 public:
  [[nodiscard]] static Result<XenKeeper> start(const XenToolstack& toolstack);
  XenKeeper(XenKeeper&& other) noexcept;
  XenKeeper& operator=(XenKeeper&&) = delete;
  ~XenKeeper();

  // Also in the sandbox, which inherits it. They work as long as this object lives.
  [[nodiscard]] XenHands hands();

  // Waits until nothing is left of the domains. Error: what is left, and how to end it.
  [[nodiscard]] Result<> finish();

 private:
  XenKeeper(pid_t process, EndpointClient client)
      : process_(process), client_(std::make_unique<EndpointClient>(std::move(client))) {}
  pid_t process_ = -1;
  std::unique_ptr<EndpointClient> client_;
};

}  // namespace vtax::host
