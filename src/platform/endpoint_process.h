#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/descriptor.h"
#include "core/result.h"
#include "workload/orders/local_orders.h"
#include "workload/traffic/endpoint.h"
#include "workload/traffic/endpoint_client.h"

namespace vtax {

// A child process that serves as an endpoint, pinned to a CPU, if wished in a network namespace of its own.
// The namespace lives as long as the process; that is killed and awaited at the end, so nothing stays.
class EndpointProcess {
 public:
  struct Options {
    std::string name;  // for errors: "the system under test", "the peer"
    int cpu = 0;
    enum class Network { callers, own, shared } network = Network::callers;
    int shared_namespace = -1;               // for Network::shared: the namespace to join
    Endpoint::MoreOrders more = obey_local;  // orders beside an endpoint's own
  };
  [[nodiscard]] static Result<EndpointProcess> start(const Options& options);
  EndpointProcess(EndpointProcess&& other) noexcept;
  EndpointProcess& operator=(EndpointProcess&&) = delete;
  ~EndpointProcess();

  [[nodiscard]] EndpointClient& client() { return client_; }
  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] int network_namespace() const { return namespace_.get(); }

 private:
  EndpointProcess(pid_t process, EndpointClient client) : process_(process), client_(std::move(client)) {}
  pid_t process_ = -1;
  EndpointClient client_;
  Descriptor namespace_;
};

}  // namespace vtax
