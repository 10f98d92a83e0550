#include "record/schedule_text.h"

#include <nlohmann/json.hpp>

#include "record/trial_check.h"

namespace vtax {
namespace {

using nlohmann::json;

constexpr std::size_t kMostScheduleBytes = 8U << 20U;
constexpr std::uint64_t kMostCpus = 65535;

// An array of the object; null where there is none, or one that is too long.
const json* column_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || !found->is_array() || found->size() > kMostStays ? nullptr : &*found;
}

std::optional<Schedule::Vcpu> read_vcpu(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto domain = object.find("domain"), number = object.find("number");
  if (domain == object.end() || !domain->is_string() || number == object.end() ||
      !number->is_number_unsigned() || number->get<std::uint64_t>() > kMostCpus)
    return std::nullopt;
  return Schedule::Vcpu{domain->get<std::string>(), number->get<int>()};
}

}  // namespace

std::string schedule_text(const Schedule& schedule) {
  json out = {{"vcpus", json::array()},       {"cpu", json::array()},    {"vcpu", json::array()},
              {"begin_ns", json::array()},    {"end_ns", json::array()}, {"woke_ns", json::array()},
              {"left_out", schedule.left_out}};
  for (const Schedule::Vcpu& vcpu : schedule.vcpus)
    out["vcpus"].push_back({{"domain", vcpu.domain}, {"number", vcpu.number}});
  for (const Schedule::Stay& stay : schedule.stays) {
    out["cpu"].push_back(stay.cpu);
    out["vcpu"].push_back(stay.vcpu);
    out["begin_ns"].push_back(stay.begin_ns);
    out["end_ns"].push_back(stay.end_ns);
    out["woke_ns"].push_back(stay.woke_ns ? json(*stay.woke_ns) : json());
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Schedule> read_schedule(std::string_view text) {
  if (text.empty() || text.size() > kMostScheduleBytes || !is_json_object(text)) return std::nullopt;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  Schedule schedule;
  const json* const vcpus = column_of(object, "vcpus");
  if (vcpus == nullptr) return std::nullopt;
  for (const json& one : *vcpus) {
    auto vcpu = read_vcpu(one);
    if (!vcpu) return std::nullopt;
    schedule.vcpus.push_back(std::move(*vcpu));
  }
  const json* const cpu = column_of(object, "cpu");
  const json* const who = column_of(object, "vcpu");
  const json* const begin = column_of(object, "begin_ns");
  const json* const end = column_of(object, "end_ns");
  const json* const woke = column_of(object, "woke_ns");
  for (const json* column : {cpu, who, begin, end, woke})
    if (column == nullptr || column->size() != cpu->size()) return std::nullopt;
  for (std::size_t i = 0; i < cpu->size(); ++i) {
    for (const json* column : {cpu, who, begin, end})
      if (!(*column)[i].is_number_unsigned()) return std::nullopt;
    const auto number = [i](const json* column) { return (*column)[i].get<std::uint64_t>(); };
    if (number(cpu) > kMostCpus || number(who) >= schedule.vcpus.size()) return std::nullopt;
    Schedule::Stay stay{static_cast<int>(number(cpu)), static_cast<std::uint32_t>(number(who)), number(begin),
                        number(end)};
    if (!(*woke)[i].is_null()) {
      if (!(*woke)[i].is_number_unsigned()) return std::nullopt;
      stay.woke_ns = number(woke);
    }
    schedule.stays.push_back(stay);
  }
  const auto left_out = object.find("left_out");
  if (left_out == object.end() || !left_out->is_number_unsigned() || schedule.empty()) return std::nullopt;
  schedule.left_out = left_out->get<std::uint64_t>();
  return schedule;
}

}  // namespace vtax
