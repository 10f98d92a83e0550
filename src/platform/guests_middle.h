#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "platform/links.h"
#include "platform/platform.h"

namespace vtax {

// What stands between bridged guests' backends and the cards: bridges, one for each wire; a router; or
// nothing, where the backends are macvtaps on the cards themselves. A router's end switches it off again.
class GuestsMiddle {
 public:
  virtual ~GuestsMiddle() = default;

  // Of a guest's backend.
  [[nodiscard]] virtual Result<> set_offloads(const std::string& backend, bool on) = 0;
  // The backend goes from the bridge in which it is since it was made to where this trial wants it. The
  // connection to the guest's agent outlasts that.
  [[nodiscard]] virtual Result<> take_backend(Links& here, const Setup& setup, int guest,
                                              const std::string& backend) = 0;
  // The card of a wire; its interrupts go to `cpu`.
  [[nodiscard]] virtual Result<> take_card(Links& here, const Setup& setup, int wire, int cpu) = 0;
  // After all devices.
  [[nodiscard]] virtual Result<> finish(const Setup&) { return {}; }

  // Whether guests and peers see each other's Ethernet addresses.
  [[nodiscard]] virtual bool is_transparent() const { return true; }
  // The device by which this domain is at the middle itself, as the partners are inside one machine. Empty:
  // none.
  [[nodiscard]] virtual std::string own_device() const { return ""; }
};

// `bridge`: that is there, in which the backends are. Error: what this trial wants makes no sense in its
// topology.
[[nodiscard]] Result<std::unique_ptr<GuestsMiddle>> make_guests_middle(Links& here, const Setup& setup,
                                                                       const std::string& bridge);

}  // namespace vtax
