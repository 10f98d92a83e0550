#pragma once

#include <chrono>

#include "core/result.h"
#include "workload/control_channel.h"
#include "workload/run_request.h"
#include "workload/tcp_socket.h"

namespace vtax {

// The controller's side of an endpoint's control channel. An error that the endpoint reports comes back as
// this side's error, with the endpoint's name. What it says is checked: it may run in a guest.
class EndpointClient {
 public:
  explicit EndpointClient(ControlChannel control) : control_(std::move(control)) {}

  [[nodiscard]] Result<> announce(int domain);
  [[nodiscard]] Result<> listen(const TcpAddress& at);
  [[nodiscard]] Result<> accept(std::chrono::nanoseconds limit);
  [[nodiscard]] Result<> connect(const TcpAddress& to, std::uint16_t source_port,
                                 std::chrono::nanoseconds limit);
  // Returns when the endpoint is armed; finish() waits for its report.
  [[nodiscard]] Result<> start(const RunRequest& request);
  [[nodiscard]] Result<RunReport> finish(const RunRequest& request);
  [[nodiscard]] Result<JsonFields> ask(const nlohmann::json& order, std::chrono::nanoseconds limit,
                                       std::string_view state = "done");

  // Sends an order whose answer is taken later, by wait_for().
  [[nodiscard]] Result<> tell(const nlohmann::json& order) { return control_.send(order); }

  // The endpoint's next message, which must be of this state.
  [[nodiscard]] Result<JsonFields> wait_for(std::string_view state, std::chrono::nanoseconds limit);

 private:
  ControlChannel control_;
};

}  // namespace vtax
