#pragma once

#include <string>

#include "core/result.h"

namespace vtax {

// What is said of a guest that has ended, or never came up. `what`: "guest1: its QEMU has ended"; `how`: "it
// ended with code 0"; `console`: what it printed last, as it is (it may be anything), kPanicBytes of it where
// it is so much. The error has its kernel's panic, too, and its last lines, printable.
[[nodiscard]] Error error_of_dead_guest(std::string what, std::string how, const std::string& console);

}  // namespace vtax
