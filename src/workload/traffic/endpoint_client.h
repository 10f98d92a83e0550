#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "core/result.h"
#include "workload/traffic/control_channel.h"
#include "workload/traffic/flow_setup.h"
#include "workload/traffic/run_request.h"

namespace vtax {

// The controller's side of an endpoint's control channel. An error that the endpoint reports comes back as
// this side's error, with the endpoint's name. What it says is checked: it may run in a guest.
class EndpointClient {
 public:
  explicit EndpointClient(ControlChannel control) : control_(std::move(control)) {}

  // ControlChannel::end_with().
  void end_with(std::shared_ptr<const GuestEnds> guests) { control_.end_with(std::move(guests)); }

  [[nodiscard]] Result<> announce(int domain);
  // Port 0 lets the system choose; the answer is the port.
  [[nodiscard]] Result<std::uint16_t> listen(const TcpAddress& at, const FlowSetup& setup);
  // The endpoint answers when all flows are there; wait_for("done") takes that answer, so that the other
  // endpoint can connect meanwhile. `fixed_ports`: see connect_flows().
  [[nodiscard]] Result<> tell_accept(const FlowSetup& setup, bool fixed_ports,
                                     std::chrono::nanoseconds limit);
  [[nodiscard]] Result<> connect(const TcpAddress& to, std::uint16_t source_port, const FlowSetup& setup,
                                 std::chrono::nanoseconds limit);
  // Returns when the endpoint is armed; finish() waits for its report.
  [[nodiscard]] Result<> start(const RunRequest& request);
  // A fixed amount over TCP must have been done to the byte; datagrams may be lost, which is the caller's to
  // judge.
  [[nodiscard]] Result<RunReport> finish(const RunRequest& request);
  // Of a request that holds its report: waits until it says that it has ended; then takes the report.
  [[nodiscard]] Result<> wait_until_ended(const RunRequest& request);
  [[nodiscard]] Result<RunReport> collect(const RunRequest& request);
  // A run that is stoppable ends now: finish() has the report of what was done.
  [[nodiscard]] Result<> stop();
  [[nodiscard]] Result<JsonFields> ask(const nlohmann::json& order, std::chrono::nanoseconds limit,
                                       std::string_view state = "done");

  // Sends an order whose answer is taken later, by wait_for().
  [[nodiscard]] Result<> tell(const nlohmann::json& order) { return control_.send(order); }

  // The endpoint's next message, which must be of this state.
  [[nodiscard]] Result<JsonFields> wait_for(std::string_view state, std::chrono::nanoseconds limit);

  // Which of them says something first, or has gone. No value: none within the limit.
  [[nodiscard]] static std::optional<std::size_t> first_with_news(
      const std::vector<const EndpointClient*>& clients, std::chrono::nanoseconds limit);

 private:
  ControlChannel control_;
};

}  // namespace vtax
