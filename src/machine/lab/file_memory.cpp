#include "machine/lab/file_memory.h"

#include <algorithm>

#include "core/units.h"
#include "machine/parts/program_tree.h"

namespace vtax::lab {
namespace {

// Small programs have what was enough for them; a guest of a large one has room for what that makes, too.
constexpr int kGuestMib = 256, kLargeGuestMib = 448, kFirstMib = 832;
// Of a kernel and its own image, which small programs' files fit beside.
constexpr int kFirstKernelMib = 512;

// A kernel gives its first files half of the memory that is left beside them as it gets them, packed.
int unpacking_mib(std::uint64_t files, std::uint64_t packed) {
  return static_cast<int>(whole_mib(2 * files + packed));
}

}  // namespace

FileMemory FileMemory::of(const LabImage& image) {
  if (image.program_memory_bytes <= ProgramTree::kMostPlainBytes) return {kGuestMib, kFirstMib};
  const std::uint64_t files = image.program_memory_bytes, packed = image.packed_bytes;
  // What has guests has their packed image among its own files, and that does not pack again.
  const int unpacking =
      has_guests(image.kind) ? unpacking_mib(files + packed, 2 * packed) : unpacking_mib(files, packed);
  return {std::max(kLargeGuestMib, kGuestMib + unpacking_mib(files, packed)),
          std::max(kFirstMib, kFirstKernelMib + unpacking)};
}

}  // namespace vtax::lab
