#include "platform/platform.h"

namespace vtax {

void Bench::end_with(const std::shared_ptr<const GuestEnds>& guests) const {
  const auto watch = [&](const End& end) {
    if (end.client != nullptr) end.client->end_with(guests);
  };
  watch(system);
  watch(peer);
  for (const EndPair& pair : more) {
    watch(pair.system);
    watch(pair.peer);
  }
}

}  // namespace vtax
