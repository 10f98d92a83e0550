#include "workload/measure/marker.h"

namespace vtax::marker {

void announce(int domain) {
  switch (domain) {
    case 0:
      return announce_domain<0>();
    case 1:
      return announce_domain<1>();
    case 2:
      return announce_domain<2>();
    case 3:
      return announce_domain<3>();
    case 4:
      return announce_domain<4>();
    case 5:
      return announce_domain<5>();
    case 6:
      return announce_domain<6>();
    case 7:
      return announce_domain<7>();
    default:
      return;
  }
}

}  // namespace vtax::marker
