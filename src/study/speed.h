#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/result.h"

namespace vtax {

// How quick a CPU is against its link: a study's [speed]. The lab counts instructions and has no rates of its
// own; with this, costs become the rates that they allow (model/capacity.h). The CPU is given outright, or
// by what a paper says that one combination of factors uses of it.
struct Speed {
  double link_mbps = 0;                   // all bits of the wire, Mb/s; 0: the wire limits nothing
  double cpu_mips = 0;                    // million instructions a second of one CPU; 0: by what follows
  std::map<std::string, std::string> of;  // this cell's busiest CPU, canonical factors, ...
  double cpu_percent = 0;                 // ... is so busy ...
  double rate = 0;                        // ... at this rate: Mb/s of payload, or transactions/s

  bool operator==(const Speed&) const = default;
};

// As it stands in a run's settings, under "speed". Errors of the second: what is not such an object; numbers
// are finite, and not below 0.
[[nodiscard]] nlohmann::json to_json(const Speed& speed);
[[nodiscard]] Result<Speed> speed_from(const nlohmann::json& settings_of_speed);

}  // namespace vtax
