#include "workload/iperf3/numbers.h"

#include <fmt/format.h>

#include <cmath>

namespace vtax::iperf3 {

Result<std::optional<std::uint64_t>> whole_number(const JsonFields& fields, const char* key,
                                                  std::uint64_t most) {
  if (!fields.has(key)) return std::nullopt;
  const nlohmann::json& value = fields.json()[key];
  std::uint64_t number = 0;
  if (value.is_number_unsigned()) {
    number = value.get<std::uint64_t>();
  } else if (value.is_number_float() && value.get<double>() >= 0 && value.get<double>() < 0x1p63 &&
             std::floor(value.get<double>()) == value.get<double>()) {
    number = static_cast<std::uint64_t>(value.get<double>());
  } else {
    return fail(fields.bad(fmt::format("'{}' is no whole number from 0 on", key)));
  }
  if (number > most) return fail(fields.bad(fmt::format("'{}' is {}, above {}", key, number, most)));
  return number;
}

Result<std::optional<double>> real_number(const JsonFields& fields, const char* key, double least,
                                          double most) {
  if (!fields.has(key)) return std::nullopt;
  const nlohmann::json& value = fields.json()[key];
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= least && number <= most))
    return fail(fields.bad(fmt::format("'{}' is no number from {} to {}", key, least, most)));
  return number;
}

bool is_set(const JsonFields& fields, const char* key) {
  if (!fields.has(key)) return false;
  const nlohmann::json& value = fields.json()[key];
  return !(value.is_null() || value == nlohmann::json(false) || value == nlohmann::json(0));
}

}  // namespace vtax::iperf3
