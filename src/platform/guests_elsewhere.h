#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "platform/bridged_guests.h"
#include "platform/platform.h"

namespace vtax {

// A guest of another machine, behind this driver domain's card.
struct GuestElsewhere {
  std::string name;                  // "guest3"
  std::string device;                // of its work and its orders, as the guest calls it: "eth0"
  EndpointClient* client = nullptr;  // the caller's
  int number = 0;                    // of all machines' guests: wiring has its addresses
};

// Guests of this machine, arranged by `own` with topology inside, and those of others: all ask partners in
// this driver domain, whose card is a port of its bridge. `own_ask`: whether those of this machine work.
[[nodiscard]] std::unique_ptr<Platform> make_with_guests_elsewhere(std::unique_ptr<Platform> own,
                                                                   const DriverDomain& driver,
                                                                   std::vector<GuestElsewhere> guests,
                                                                   bool own_ask);

}  // namespace vtax
