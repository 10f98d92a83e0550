#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "record/testing/synthetic_run.h"

namespace vtax {

// Claims about the synthetic run, one of each verdict and one of a cell that it has not.
inline const std::string& synthetic_claims() {
  static const std::string text = R"(paper = "A made-up paper"
machine = "a machine"

[cells]
topology = "card"
offloads = "off"
workload = "tcp-stream"
direction = "receive"
write_bytes = "64 KiB"

[[claim]]
id = "cost"
says = "Receiving costs three to five times as much."
source = "section 6, figure 1"
quantity = "cost relative to native"
unit = "times"
published = [3, 5]
formula = "ratio"
per = "KB"
of = { platform = "xen-pv" }
to = { platform = "native" }
at_least = 3
at_most = 5
note = "instructions stand for time"

[[claim]]
id = "driver-share"
says = "The driver domain pays most of it."
source = "table 2"
quantity = "driver domain's part"
published = "most"
formula = "ratio"
per = "packet"
of = { platform = "xen-pv", layers = ["driver"] }
to = { layers = [] }
at_least = 0.9

[[claim]]
id = "large-writes"
says = "Larger writes change nothing."
source = "table 3"
quantity = "dearest size relative to cheapest"
unit = "times"
published = 1
formula = "spread"
per = "packet"
of = { platform = "xen-pv", write_bytes = 1448, layers = [] }
over = { bytes = ["8 MiB", "16 MiB"] }
at_most = 1.1

[[claim]]
id = "rate"
says = "One connection reaches 938 Mb/s."
source = "experiment 1"
quantity = "rate"
unit = "Mb/s"
published = 938
not_testable = "the lab gives no rates"
)";
  return text;
}

inline void carry_claims(Run& run, const std::string& claims) {
  auto settings = nlohmann::json::parse(run.settings);
  settings["published"] = claims;
  run.settings = settings.dump();
}

}  // namespace vtax
