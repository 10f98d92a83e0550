#pragma once

#include <filesystem>

#include "core/result.h"
#include "machine/parts/lab_image.h"

namespace vtax::lab {

// What of an image is known only when it is built, its kernel's release, its modules and the size of the
// user's program: image.json, beside vmlinux, initrd.cpio, modules/NAME.ko and, with Xen, xen; program/ where
// there is one of the user's.
[[nodiscard]] Result<> write_image_record(const LabImage& image, const std::filesystem::path& directory);

// Fills in that, and where the files are. `image` has the rest.
[[nodiscard]] Result<> read_image_record(const std::filesystem::path& directory, LabImage& image);

}  // namespace vtax::lab
