#include "workload/traffic/generator.h"

namespace vtax {

std::unique_ptr<Generator> make_generator(const Order& order, const FlowPlace& place) {
  switch (order.kind) {
    case WorkKind::tcp_stream:
      return make_tcp_stream(order);
    case WorkKind::udp_stream:
      return make_udp_stream(order);
    case WorkKind::tcp_rr:
      return make_tcp_rr(order);
    case WorkKind::udp_rr:
      return make_udp_rr(order);
    case WorkKind::tcp_crr:
      return make_tcp_crr(order, place);
  }
  return nullptr;
}

}  // namespace vtax
