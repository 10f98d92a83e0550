#pragma once

#include "machine/parts/lab_image.h"

namespace vtax::lab {

// MiB of memory that the systems of a machine have, so that they hold their program's files.
struct FileMemory {
  int guest = 0;  // each guest, at least
  int first = 0;  // Domain-0, KVM's host without its guests, or the system that is alone

  // Of an image with a program.
  [[nodiscard]] static FileMemory of(const LabImage& image);
};

}  // namespace vtax::lab
