#include "workload/traffic/run_request.h"

#include <fmt/format.h>

#include <limits>
#include <tuple>

#include "workload/measure/side_report_reader.h"

namespace vtax {
namespace {

constexpr std::uint64_t kMostNs = 90'000'000'000'000;  // a day and an hour
constexpr std::size_t kMostDevices = 16;
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

}  // namespace

nlohmann::json RunRequest::to_json() const {
  nlohmann::json out{{"do", "run"},
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
  if (stoppable) out["stoppable"] = true;
  return out;
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
  if (fields.has("stoppable")) {
    const auto value = fields.boolean("stoppable");
    if (!value) return fail(value.error());
    request.stoppable = *value;
  }
  for (const auto& [key, into] :
       {std::pair{"lead_ns", &request.lead}, {"trail_ns", &request.trail}, {"limit_ns", &request.limit}}) {
    const auto value = fields.number(key, 0, kMostNs);
    if (!value) return fail(value.error());
    *into = std::chrono::nanoseconds(*value);
  }
  for (const auto& [key, kMost, into] : {std::tuple{"guest", Marking::kMostGuests, &request.marking.guest},
                                         {"marks", Marking::kMostMarks, &request.marking.marks}}) {
    const auto value = fields.number(key, 0, kMost);
    if (!value) return fail(value.error());
    *into = static_cast<unsigned>(*value);
  }
  auto devices = device_names_from(fields, "devices");
  if (!devices) return fail(devices.error());
  request.devices = std::move(*devices);
  return request;
}

nlohmann::json RunReport::to_json() const {
  return {{"state", "done"}, {"side", side.to_json()}, {"devices", counters_to_json(devices)}};
}

Result<RunReport> RunReport::from(const JsonFields& fields) {
  RunReport report;
  const auto side_fields = fields.object("side");
  if (!side_fields) return fail(side_fields.error());
  const auto side = read_side_report(*side_fields);
  if (!side) return fail(side.error());
  report.side = *side;
  auto devices = counters_from(fields);
  if (!devices) return fail(devices.error());
  report.devices = std::move(*devices);
  return report;
}

Result<std::vector<std::string>> device_names_from(const JsonFields& fields, const char* key) {
  const auto list = fields.array(key, kMostDevices);
  if (!list) return fail(list.error());
  std::vector<std::string> names;
  for (const nlohmann::json& name : *list) {
    if (!name.is_string()) return fail(fields.bad(fmt::format("'{}' holds something other than names", key)));
    names.push_back(name.get<std::string>());
  }
  return names;
}

nlohmann::json counters_to_json(const std::vector<DeviceCounters>& devices) {
  nlohmann::json list = nlohmann::json::array();
  for (const DeviceCounters& device : devices) {
    list.push_back({{"device", device.device},
                    {"received", device.received.value},
                    {"sent", device.sent.value},
                    {"received_bytes", device.received_bytes.value},
                    {"sent_bytes", device.sent_bytes.value}});
  }
  return list;
}

Result<std::vector<DeviceCounters>> counters_from(const JsonFields& fields) {
  std::vector<DeviceCounters> out;
  const auto devices = fields.array("devices", kMostDevices);
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
      const auto value = device.number(key, 0, kAny);
      if (!value) return fail(value.error());
      *into = *value;
    }
    out.push_back(counters);
  }
  return out;
}

}  // namespace vtax
