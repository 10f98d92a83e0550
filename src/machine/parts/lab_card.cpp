#include "machine/parts/lab_card.h"

#include <algorithm>

namespace vtax::lab {

const std::array<LabCard, 2>& lab_cards() {
  // Of itself virtio-net sends when the emulator's other thread comes to it, which no rerun repeats: told by
  // a register that is no event of the host's, it sends when its timer has run out, by the machine's clock.
  static const std::array<LabCard, 2> cards = {
      LabCard{"e1000e", "", {"e1000e"}},
      LabCard{"virtio-net-pci", ",tx=timer,x-txtimer=2000,ioeventfd=off", {"virtio_pci", "virtio_net"}}};
  return cards;
}

const LabCard* card_for(const ModuleTree& kernel) {
  for (const LabCard& card : lab_cards())
    if (std::all_of(card.modules.begin(), card.modules.end(),
                    [&](const std::string& module) { return kernel.has(module); }))
      return &card;
  return nullptr;
}

const LabCard* find_lab_card(std::string_view device) {
  for (const LabCard& card : lab_cards())
    if (card.device == device) return &card;
  return nullptr;
}

}  // namespace vtax::lab
