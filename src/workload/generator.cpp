#include "workload/generator.h"

namespace vtax {

std::unique_ptr<Generator> make_generator(const Order& order) {
  return order.kind == WorkKind::tcp_stream ? make_tcp_stream(order) : make_tcp_rr(order);
}

}  // namespace vtax
