#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "watch/reading.h"
#include "watch/show/arrange.h"

namespace vtax {

// Where `vtax top` brings each reading.
class TopSink {
 public:
  virtual ~TopSink() = default;
  // An error ends the verb.
  [[nodiscard]] virtual Result<> take(const watch::Reading& reading) = 0;
};

// On the standard output: `format` is "table", "json" or "csv".
[[nodiscard]] std::unique_ptr<TopSink> printed_readings(const std::string& format, watch::Arrangement by);

}  // namespace vtax
