#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "machine/parts/module_list.h"

namespace vtax::lab {

// A kind of network card that the emulator has, and that counts the same in every rerun.
struct LabCard {
  std::string_view device;           // as QEMU calls it, and so a trial's provenance
  std::string_view options;          // of the device, behind the others
  std::vector<std::string> modules;  // of the kernel that drives it
};

// In order of preference: a machine has the first that its kernel drives (docs/design/lab-image.md).
[[nodiscard]] const std::array<LabCard, 2>& lab_cards();

// nullptr: it drives none of them.
[[nodiscard]] const LabCard* card_for(const ModuleTree& kernel);

// nullptr: there is none of that name.
[[nodiscard]] const LabCard* find_lab_card(std::string_view device);

}  // namespace vtax::lab
