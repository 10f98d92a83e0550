#pragma once

#include <filesystem>
#include <string>

#include "bench/must.h"
#include "core/files.h"
#include "core/sha256.h"
#include "machine/parts/cpio.h"
#include "machine/parts/lab_image.h"

namespace vtax {

// The image with more files behind its own, which they replace: Linux unpacks both. Written into `folder`,
// and another image by its hash.
inline lab::LabImage image_with(lab::LabImage image, const lab::CpioArchive& more,
                                const std::filesystem::path& folder) {
  constexpr std::size_t kBlock = 512;
  auto initrd = must(read_file(image.initrd));
  initrd.resize((initrd.size() + kBlock - 1) / kBlock * kBlock);
  const auto files = more.bytes();
  initrd.insert(initrd.end(), files.begin(), files.end());
  image.initrd = folder / (std::string(name_of(image.kind)) + ".cpio");
  if (auto written = write_file(image.initrd, initrd); !written) quit(written.error().text());
  image.hash = sha256_hex(ByteView(initrd));
  return image;
}

}  // namespace vtax
