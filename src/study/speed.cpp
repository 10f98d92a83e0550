#include "study/speed.h"

#include <cmath>

namespace vtax {

nlohmann::json to_json(const Speed& speed) {
  nlohmann::json out = {{"link_mbps", speed.link_mbps}};
  if (speed.cpu_mips > 0) {
    out["cpu_mips"] = speed.cpu_mips;
  } else {
    out["of"] = speed.of;
    out["cpu_percent"] = speed.cpu_percent;
    out["rate"] = speed.rate;
  }
  return out;
}

Result<Speed> speed_from(const nlohmann::json& json) {
  const auto wrong = [](const std::string& why) {
    return fail({"cannot read the speed that this run's study sets", why, ""});
  };
  if (!json.is_object()) return wrong("it is no object");
  Speed speed;
  for (const auto& [key, into] :
       {std::pair("link_mbps", &speed.link_mbps), std::pair("cpu_mips", &speed.cpu_mips),
        std::pair("cpu_percent", &speed.cpu_percent), std::pair("rate", &speed.rate)}) {
    if (!json.contains(key)) continue;
    if (!json[key].is_number()) return wrong(std::string(key) + " is no number");
    *into = json[key].get<double>();
    if (!std::isfinite(*into) || *into < 0) return wrong(std::string(key) + " is out of range");
  }
  if (json.contains("of")) {
    if (!json["of"].is_object()) return wrong("'of' is no object");
    for (const auto& [factor, value] : json["of"].items()) {
      if (!value.is_string()) return wrong("a factor of 'of' is no text");
      speed.of[factor] = value.get<std::string>();
    }
  }
  for (const char* needed : {"platform", "workload"})
    if (!speed.of.empty() && speed.of.count(needed) == 0)
      return wrong(std::string("'of' names no ") + needed);
  const bool is_calibrated = !speed.of.empty() && speed.cpu_percent > 0 && speed.rate > 0;
  if (speed.cpu_mips == 0 && !is_calibrated)
    return wrong("it names neither cpu_mips nor a cell to calibrate by");
  return speed;
}

}  // namespace vtax
