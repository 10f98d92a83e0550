#pragma once

#include <filesystem>

#include "core/result.h"
#include "machine/lab/lab_image.h"

namespace vtax::lab {

// An image's directory describes itself: image.json, beside vmlinux, initrd.cpio, modules/NAME.ko and, with
// Xen, xen.
[[nodiscard]] Result<> write_image_record(const LabImage& image, const std::filesystem::path& directory);
[[nodiscard]] Result<LabImage> read_image_record(const std::filesystem::path& directory);

}  // namespace vtax::lab
