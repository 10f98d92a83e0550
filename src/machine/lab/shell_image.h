#pragma once

#include <string>

#include "core/descriptor.h"
#include "machine/parts/lab_image.h"

namespace vtax::lab {

// The image's initrd followed by an archive with a static BusyBox: what the machine is measured with stays as
// it is. An unnamed file in the cache, which goes with its descriptor; QEMU opens it as `path`.
struct ShellInitrd {
  Descriptor file;
  std::string path;
};

[[nodiscard]] Result<ShellInitrd> make_shell_initrd(const LabImage& image, PackageCache& cache,
                                                    const Apt& apt, const TellStep& progress);

}  // namespace vtax::lab
