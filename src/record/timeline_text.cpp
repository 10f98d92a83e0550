#include "record/timeline_text.h"

#include <nlohmann/json.hpp>

#include "record/trial_check.h"

namespace vtax {
namespace {

using nlohmann::json;

constexpr std::size_t kMostTimelineBytes = 4U << 20U;
constexpr std::size_t kMostTimelineRows = 1000;

// Collects whether anything was wrong, so that the reading below stays flat.
class TimelineFields {
 public:
  std::vector<std::uint64_t> column(const json& object, const char* key) {
    std::vector<std::uint64_t> numbers;
    const auto found = object.find(key);
    good = good && found != object.end() && found->is_array() && found->size() <= kMostSlices;
    if (!good) return numbers;
    for (const json& number : *found) {
      good = good && number.is_number_unsigned();
      numbers.push_back(good ? number.get<std::uint64_t>() : 0);
    }
    return numbers;
  }

  std::string name(const json& object, const char* key) {
    const auto found = object.find(key);
    good = good && found != object.end() && found->is_string();
    return good ? found->get<std::string>() : "";
  }

  const json& objects(const json& object, const char* key) {
    static const json none = json::array();
    const auto found = object.find(key);
    good = good && found != object.end() && found->is_array() && found->size() <= kMostTimelineRows;
    if (!good) return none;
    for (const json& one : *found) good = good && one.is_object();
    return good ? *found : none;
  }

  bool good = true;
};

constexpr char kUndivided[] = "kernel+program";

const char* cost_key(bool in_time) {
  return in_time ? kCpuTimeKind : "instructions";
}

constexpr std::pair<const char*, std::vector<std::uint64_t> Timeline::Device::*> kDeviceColumns[] = {
    {"received_bytes", &Timeline::Device::received_bytes},
    {"sent_bytes", &Timeline::Device::sent_bytes},
    {"received_packets", &Timeline::Device::received_packets},
    {"sent_packets", &Timeline::Device::sent_packets},
    {"dropped_packets", &Timeline::Device::dropped_packets}};

std::optional<Timeline::Row> read_row(const json& row, bool in_time, TimelineFields& fields) {
  const std::string layer_text = fields.name(row, "layer");
  const bool with_program = in_time && layer_text == kUndivided;
  const auto layer = with_program ? std::optional(Layer::kernel) : layer_named(layer_text);
  const auto part = part_named(fields.name(row, "part"));
  const auto cpu = row.find("cpu");
  if (!layer || !part || cpu == row.end()) return std::nullopt;
  if (!cpu->is_null() && (!cpu->is_number_unsigned() || cpu->get<std::uint64_t>() > 65535))
    return std::nullopt;
  return Timeline::Row{cpu->is_null() ? LedgerEntry::kUnknownCpu : cpu->get<int>(),
                       fields.name(row, "domain"),
                       *layer,
                       *part,
                       fields.column(row, cost_key(in_time)),
                       with_program};
}

Timeline::Device read_device(const json& object, TimelineFields& fields) {
  Timeline::Device device{fields.name(object, "side"),
                          fields.name(object, "domain"),
                          fields.name(object, "device"),
                          {},
                          {},
                          {},
                          {},
                          {}};
  for (const auto& [key, column] : kDeviceColumns) device.*column = fields.column(object, key);
  return device;
}

}  // namespace

std::string timeline_text(const Timeline& timeline) {
  json out = {{"end_ns", timeline.end_ns}, {"work", json::array()}, {"rows", json::array()}};
  for (const Timeline::Amounts& work : timeline.work)
    out["work"].push_back(
        {{"guest", work.guest}, {"bytes", work.bytes}, {"transactions", work.transactions}});
  for (const Timeline::Row& row : timeline.rows)
    out["rows"].push_back({{"cpu", row.cpu == LedgerEntry::kUnknownCpu ? json() : json(row.cpu)},
                           {"domain", row.domain},
                           {"layer", row.with_program ? kUndivided : name(row.layer)},
                           {"part", name(row.part)},
                           {cost_key(timeline.in_time), row.cost}});
  for (const Timeline::Device& device : timeline.devices) {
    json one = {{"side", device.side}, {"domain", device.domain}, {"device", device.device}};
    for (const auto& [key, column] : kDeviceColumns) one[key] = device.*column;
    out["devices"].push_back(std::move(one));
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Timeline> read_timeline(std::string_view text) {
  if (text.empty() || text.size() > kMostTimelineBytes || !is_json_object(text)) return std::nullopt;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  TimelineFields fields;
  Timeline timeline;
  timeline.end_ns = fields.column(object, "end_ns");
  for (const json& work : fields.objects(object, "work"))
    timeline.work.push_back(
        {fields.name(work, "guest"), fields.column(work, "bytes"), fields.column(work, "transactions")});
  const json& rows = fields.objects(object, "rows");
  timeline.in_time = !rows.empty() && rows.front().contains(kCpuTimeKind);
  for (const json& row : rows) {
    auto read = read_row(row, timeline.in_time, fields);
    if (!read) return std::nullopt;
    timeline.rows.push_back(std::move(*read));
  }
  if (object.contains("devices"))
    for (const json& device : fields.objects(object, "devices"))
      timeline.devices.push_back(read_device(device, fields));
  if (!timeline.in_time && !timeline.devices.empty()) return std::nullopt;
  if (!fields.good || timeline.empty()) return std::nullopt;
  return timeline;
}

}  // namespace vtax
