#pragma once

#include <memory>

#include "core/result.h"
#include "workload/order.h"
#include "workload/watchdog.h"

namespace vtax {

// One side of one workload on a connected TCP socket. Its buffers are made and touched beforehand, so that
// the work itself allocates nothing. Each side checks the other: too little, too much or too early is an
// error.
class Generator {
 public:
  virtual ~Generator() = default;
  // Returns after the work's last byte: for the initiator that is the responder's final answer.
  [[nodiscard]] virtual Result<Done> initiate(int fd, const Watchdog& watchdog) = 0;
  [[nodiscard]] virtual Result<Done> respond(int fd, const Watchdog& watchdog) = 0;
};

[[nodiscard]] std::unique_ptr<Generator> make_generator(const Order& order);
[[nodiscard]] std::unique_ptr<Generator> make_tcp_stream(const Order& order);
[[nodiscard]] std::unique_ptr<Generator> make_tcp_rr(const Order& order);

}  // namespace vtax
