#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "subject/trial_spec.h"

// What the lab tells to what boots, a machine's shape: words of the kernel's command line, "vtax.guests=2";
// and what it must understand of an answer.
namespace vtax {

// " vtax.guests=2 vtax.driver_cpus=2": of the factors that are numbers, and of guest_args, those that are not
// as usual.
[[nodiscard]] std::string boot_words(const MachineShape& shape);

// What `command_line` says; as usual where nothing is said. Error (usage): a value that the factor does not
// have.
[[nodiscard]] Result<MachineShape> shape_from_words(std::string_view command_line);

// What a machine could not do whose guest stays silent at boot, as its error says it.
inline constexpr char kReachGuest[] = "reach the guest's agent";

}  // namespace vtax
