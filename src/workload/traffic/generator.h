#pragma once

#include <memory>

#include "core/result.h"
#include "workload/traffic/flow.h"
#include "workload/traffic/flow_setup.h"

namespace vtax {

// One side of one flow of a workload. Its buffers are made and touched when it is made, so that the work
// itself allocates nothing. Each side checks the other: too little, too much or too early is an error. What
// is done is counted in the task's record, and only when it is done.
class Generator {
 public:
  virtual ~Generator() = default;
  // Both return when the two sides agree that the work is over.
  [[nodiscard]] virtual Result<> initiate(const Flow& flow, const FlowTask& task) = 0;
  [[nodiscard]] virtual Result<> respond(const Flow& flow, const FlowTask& task) = 0;
};

// `place`: for tcp-crr, which makes its connections itself.
[[nodiscard]] std::unique_ptr<Generator> make_generator(const Order& order, const FlowPlace& place);

[[nodiscard]] std::unique_ptr<Generator> make_tcp_stream(const Order& order);
[[nodiscard]] std::unique_ptr<Generator> make_udp_stream(const Order& order);
[[nodiscard]] std::unique_ptr<Generator> make_tcp_rr(const Order& order);
[[nodiscard]] std::unique_ptr<Generator> make_udp_rr(const Order& order);
[[nodiscard]] std::unique_ptr<Generator> make_tcp_crr(const Order& order, const FlowPlace& place);

}  // namespace vtax
