#include "workload/run_request.h"

#include <limits>
#include <tuple>

#include "workload/side_report_reader.h"

namespace vtax {
namespace {

constexpr std::uint64_t most_ns = 90'000'000'000'000;  // a day and an hour
constexpr std::size_t most_devices = 16;
constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();

}  // namespace

nlohmann::json RunRequest::to_json() const {
  return {{"do", "run"},
          {"order", order.to_json()},
          {"initiator", initiator},
          {"window", window},
          {"guest", marking.guest},
          {"marks", marking.marks},
          {"lead_ns", lead.count()},
          {"trail_ns", trail.count()},
          {"limit_ns", limit.count()},
          {"hold", hold},
          {"silent", silent},
          {"devices", devices}};
}

Result<RunRequest> RunRequest::from(const JsonFields& fields) {
  const auto order_fields = fields.object("order");
  if (!order_fields) return fail(order_fields.error());
  const auto order = Order::from(*order_fields);
  if (!order) return fail(order.error());
  RunRequest request;
  request.order = *order;
  for (const auto& [key, into] : {std::pair{"initiator", &request.initiator},
                                  {"window", &request.window},
                                  {"hold", &request.hold},
                                  {"silent", &request.silent}}) {
    const auto value = fields.boolean(key);
    if (!value) return fail(value.error());
    *into = *value;
  }
  for (const auto& [key, into] :
       {std::pair{"lead_ns", &request.lead}, {"trail_ns", &request.trail}, {"limit_ns", &request.limit}}) {
    const auto value = fields.number(key, 0, most_ns);
    if (!value) return fail(value.error());
    *into = std::chrono::nanoseconds(*value);
  }
  for (const auto& [key, most, into] : {std::tuple{"guest", Marking::most_guests, &request.marking.guest},
                                        {"marks", Marking::most_marks, &request.marking.marks}}) {
    const auto value = fields.number(key, 0, most);
    if (!value) return fail(value.error());
    *into = static_cast<unsigned>(*value);
  }
  const auto devices = fields.array("devices", most_devices);
  if (!devices) return fail(devices.error());
  for (const nlohmann::json& device : *devices) {
    if (!device.is_string()) return fail(fields.bad("'devices' holds something other than names"));
    request.devices.push_back(device.get<std::string>());
  }
  return request;
}

nlohmann::json RunReport::to_json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const DeviceCounters& device : devices) {
    list.push_back({{"device", device.device},
                    {"received", device.received.value},
                    {"sent", device.sent.value},
                    {"received_bytes", device.received_bytes.value},
                    {"sent_bytes", device.sent_bytes.value}});
  }
  return {{"state", "done"}, {"side", side.to_json()}, {"devices", list}};
}

Result<RunReport> RunReport::from(const JsonFields& fields) {
  RunReport report;
  const auto side_fields = fields.object("side");
  if (!side_fields) return fail(side_fields.error());
  const auto side = read_side_report(*side_fields);
  if (!side) return fail(side.error());
  report.side = *side;
  const auto devices = fields.array("devices", most_devices);
  if (!devices) return fail(devices.error());
  for (const nlohmann::json& entry : *devices) {
    if (!entry.is_object()) return fail(fields.bad("'devices' holds something other than objects"));
    const JsonFields device("counters of a device", entry);
    DeviceCounters counters;
    const auto name = device.text("device", 32);
    if (!name) return fail(name.error());
    counters.device = *name;
    for (const auto& [key, into] : {std::pair{"received", &counters.received.value},
                                    {"sent", &counters.sent.value},
                                    {"received_bytes", &counters.received_bytes.value},
                                    {"sent_bytes", &counters.sent_bytes.value}}) {
      const auto value = device.number(key, 0, any);
      if (!value) return fail(value.error());
      *into = *value;
    }
    report.devices.push_back(counters);
  }
  return report;
}

}  // namespace vtax
