#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "workload/measure/device_counters.h"
#include "workload/measure/progress.h"
#include "workload/measure/side_report.h"
#include "workload/traffic/order.h"

namespace vtax {

// One order to one side of a connected pair.
struct RunRequest {
  Order order;
  bool initiator = false;
  bool window =
      false;        // this side executes the window's markers; a responder when its first request is there
  Marking marking;  // of the window's progress
  std::chrono::nanoseconds lead{};  // quiet time before: delayed acknowledgements and timers are done by then
  std::chrono::nanoseconds trail{};  // quiet time after, before the counters are read and the answer is sent
  std::chrono::nanoseconds limit{};  // of the work itself
  std::vector<std::string> devices;  // whose counters to read just before and after
  // When all that is over, the report waits for the order "collect"; that it waits is said ({"state":
  // "ended"}), unless it must stay silent. So nobody disturbs others that still work.
  bool hold = false, silent = false;
  // Of a timed order by hand: {"do": "stop"} ends it before its time. Studies do not ask for it, for looking
  // costs a system call every 20 ms.
  bool stoppable = false;

  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] static Result<RunRequest> from(const JsonFields& fields);
};

struct RunReport {
  SideReport side;
  std::vector<DeviceCounters> devices;  // differences, in the order of the request

  [[nodiscard]] Done done() const { return {side.bytes, side.transactions}; }
  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] static Result<RunReport> from(const JsonFields& fields);
};

// Counters as a list of objects with the keys "device", "received", "sent", "received_bytes", "sent_bytes";
// `fields` has it as "devices".
[[nodiscard]] nlohmann::json counters_to_json(const std::vector<DeviceCounters>& devices);
[[nodiscard]] Result<std::vector<DeviceCounters>> counters_from(const JsonFields& fields);

// Names of devices, which `fields` has as `key`.
[[nodiscard]] Result<std::vector<std::string>> device_names_from(const JsonFields& fields, const char* key);

}  // namespace vtax
