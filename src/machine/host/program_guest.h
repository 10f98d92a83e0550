#pragma once

#include <string>

#include "core/descriptor.h"
#include "core/result.h"
#include "machine/parts/program_tree.h"
#include "platform/booted_guests.h"

namespace vtax::host {

// A guest that holds a program of the user's.

// The image with the program's files in it, where the agent looks for them, and memory to unpack them. In a
// sandbox; all that is made goes with it. Errors: usage (too many bytes), io.
[[nodiscard]] Result<GuestImage> image_with_program(const GuestImage& image, const lab::ProgramTree& files);

// The same for who reads it outside of the sandbox, as Xen's toolstack: in memory, as long as `file` is open
// and this process lives. `packed`: for firmware, which takes it byte by byte.
struct HeldImage {
  GuestImage image;
  Descriptor file;
};
[[nodiscard]] Result<HeldImage> held_image_with_program(const GuestImage& image,
                                                        const lab::ProgramTree& files, bool packed);

// What User Mode Linux is confined to: its kernel is a program of this computer, whose files its root may
// mount (hostfs), so it sees none but its own.
struct WalledUml {
  GuestImage image;            // as seen from within
  std::string scratch, walls;  // as make_uml() has them
};
// `guests`: how many of them are in it at once. Errors: unavailable, io.
[[nodiscard]] Result<WalledUml> wall_uml_in(const GuestImage& image, int guests);

}  // namespace vtax::host
