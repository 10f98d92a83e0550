#pragma once

#include <string>

#include "core/result.h"
#include "machine/parts/program_tree.h"
#include "platform/booted_guests.h"

namespace vtax::host {

// A guest that holds a program of the user's. In a sandbox; all that is made goes with it.

// The image with the program's files in it, where the agent looks for them, and memory to unpack them.
// Errors: usage (too many bytes), io.
[[nodiscard]] Result<GuestImage> image_with_program(const GuestImage& image, const lab::ProgramTree& files);

// What User Mode Linux is confined to: its kernel is a program of this computer, whose files its root may
// mount (hostfs), so it sees none but its own.
struct WalledUml {
  GuestImage image;            // as seen from within
  std::string scratch, walls;  // as make_uml() has them
};
// `guests`: how many of them are in it at once. Errors: unavailable, io.
[[nodiscard]] Result<WalledUml> wall_uml_in(const GuestImage& image, int guests);

}  // namespace vtax::host
