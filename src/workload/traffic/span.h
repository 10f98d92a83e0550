#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "core/result.h"
#include "workload/measure/side_report.h"
#include "workload/traffic/flow_setup.h"

namespace vtax {

// One side of one measured span: all its flows, side by side.
struct SpanRequest {
  Order order;
  bool initiator = false;
  bool window = false;               // the initiator executes the window's markers around the work
  std::chrono::nanoseconds limit{};  // of the work; a timed order gets its time on top
  // Of a timed order: asked every 20 ms whether the user wants no more. What was measured by then is the
  // report.
  std::function<bool()> stopped;
  // Of a timed order with intervals: told of each as it ends, between two looks at the clock.
  std::function<void(const IntervalReport&)> on_interval;
  Marking marking;  // within the window, where a single flow does a fixed amount of work
};

// What this side has done: for a timed order between the end of the warm-up and the end of the time; else
// from before the first byte to after the last.
[[nodiscard]] Result<SideReport> run_span(const SpanRequest& request, const std::vector<Flow>& flows,
                                          const FlowPlace& place);

}  // namespace vtax
