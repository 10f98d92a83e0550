#pragma once

#include <poll.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "watch/reading.h"
#include "watch/show/arrange.h"
#include "watch/show/screen_model.h"

namespace vtax {

// Where `vtax top` brings each reading.
class TopSink {
 public:
  virtual ~TopSink() = default;
  // An error ends the verb.
  [[nodiscard]] virtual Result<> take(const watch::Reading& reading) = 0;

  // What it waits for between readings, as poll(2) takes it.
  [[nodiscard]] virtual std::vector<pollfd> waits_for() { return {}; }
  // Something of that has happened, or a signal has come.
  [[nodiscard]] virtual watch::Wish woken(const std::vector<pollfd>&) { return {}; }
};

// On the standard output: `format` is "table", "json" or "csv".
[[nodiscard]] std::unique_ptr<TopSink> printed_readings(const std::string& format, watch::Arrangement by);

// The full screen. Errors: watch/screen/terminal.h.
[[nodiscard]] Result<std::unique_ptr<TopSink>> screen_of_readings(watch::Arrangement by,
                                                                  std::chrono::nanoseconds delay);

// Counters for Prometheus, on an address such as "127.0.0.1:9177", which standard error tells. Errors:
// watch/listen/metrics_listener.h.
[[nodiscard]] Result<std::unique_ptr<TopSink>> listening_metrics(const std::string& where);

// Into a run file of their own. Errors: watch/record/recording_writer.h.
[[nodiscard]] Result<std::unique_ptr<TopSink>> recorded_readings(const std::string& file,
                                                                 std::chrono::nanoseconds delay);

}  // namespace vtax
