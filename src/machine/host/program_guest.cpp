#include "machine/host/program_guest.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "core/anonymous_file.h"
#include "core/files.h"
#include "core/units.h"
#include "machine/host/sandbox.h"
#include "machine/host/walled_folder.h"
#include "machine/parts/cpio.h"
#include "machine/parts/gzip.h"
#include "machine/parts/shared_libraries.h"
#include "platform/tap_guest.h"

namespace vtax::host {
namespace {

namespace fs = std::filesystem;

constexpr const char *kUmlKernel = "linux", *kUmlInitrd = "initrd";
// The kernel looks for it in lib64, and it for all else in LD_LIBRARY_PATH.
constexpr const char* kLinker = "ld-linux-x86-64.so.2";

// For what the program needs besides its files.
constexpr int kProgramMemoryMib = 128;
// Its files are in memory as the image has them and unpacked, for which a kernel gives half of its memory.
constexpr std::uint64_t kMemoryOfFiles = 3;

// Of UML's folder besides its memory: what else it writes is some kilobytes.
constexpr std::uint64_t kUmlRoomBytes = 16 * kMiB;
constexpr std::uint64_t kUmlFiles = 4096;

using Files = std::map<std::string, std::vector<std::uint8_t>>;

Result<> add(Files& files, const std::string& name, const fs::path& from) {
  auto content = read_file(from);
  if (!content) return fail(content.error());
  files[name] = std::move(*content);
  return {};
}

// The kernel, which is a program, with the libraries of this computer that it needs, and the image.
Result<Files> files_of_uml(const GuestImage& image) {
  const auto libraries = lab::library_closure({image.kernel}, "/");
  if (!libraries) return fail(libraries.error());
  if (!libraries->missing.empty())
    return fail(Error{"start User Mode Linux", "this computer has no " + libraries->missing.front(),
                      "install it, or leave platform uml out", ExitCode::unavailable});
  Files files;
  Result<> added = add(files, kUmlKernel, image.kernel);
  if (added) added = add(files, kUmlInitrd, image.initrd);
  for (const auto& [name, file] : libraries->found)
    if (added) added = add(files, (name == kLinker ? "lib64/" : "lib/") + name, file);
  if (!added) return fail(added.error());
  return files;
}

// The kernel unpacks one archive after the other, packed or not.
Result<std::vector<std::uint8_t>> initrd_with_program(const GuestImage& image, const lab::ProgramTree& files,
                                                      bool packed) {
  lab::CpioArchive program;
  if (Result<> added = files.add_to(program); !added) return fail(added.error());
  auto bytes = read_file(image.initrd);
  if (!bytes) return fail(bytes.error());
  const auto more = packed ? lab::gzip(program.bytes()) : program.bytes();
  if (more.empty())
    return fail(Error{"pack the program's files", "there is not enough memory", "", ExitCode::io});
  bytes->insert(bytes->end(), more.begin(), more.end());
  return bytes;
}

int memory_of(const lab::ProgramTree& files) {
  return kProgramMemoryMib + static_cast<int>(kMemoryOfFiles * whole_mib(files.memory_bytes()));
}

}  // namespace

Result<GuestImage> image_with_program(const GuestImage& image, const lab::ProgramTree& files) {
  const auto bytes = initrd_with_program(image, files, false);
  if (!bytes) return fail(bytes.error());
  GuestImage with = image;
  with.initrd = fs::path(kScratchDirectory) / "program-initrd.cpio";
  with.more_memory_mib = memory_of(files);
  if (Result<> written = write_file(with.initrd, *bytes); !written) return fail(written.error());
  return with;
}

Result<HeldImage> held_image_with_program(const GuestImage& image, const lab::ProgramTree& files,
                                          bool packed) {
  const auto bytes = initrd_with_program(image, files, packed);
  if (!bytes) return fail(bytes.error());
  auto file = anonymous_file("program-initrd", *bytes);
  if (!file) return fail(file.error());
  HeldImage held{image, std::move(*file)};
  held.image.initrd = fmt::format("/proc/{}/fd/{}", getpid(), held.file.get());
  held.image.more_memory_mib = memory_of(files);
  return held;
}

Result<WalledUml> wall_uml_in(const GuestImage& image, int guests) {
  const auto files = files_of_uml(image);
  if (!files) return fail(files.error());
  std::uint64_t bytes = static_cast<std::uint64_t>(guests) * uml_memory_file_bytes(image) + kUmlRoomBytes;
  for (const auto& [name, content] : *files) bytes += content.size();
  auto walled = WalledFolder::make("uml", bytes, kUmlFiles);
  if (!walled) return fail(walled.error());
  Result<> made = walled->inside().directory("tmp");
  for (const auto& [name, content] : *files)
    if (made) made = walled->inside().file(name, content, 0755);
  if (made) made = walled->add_devices({"null", "zero", "random", "urandom"});
  if (made) made = walled->add_tun();
  if (!made) return fail(made.error());
  const fs::path root = "/";
  return WalledUml{{root / kUmlKernel, root / kUmlInitrd, image.more_memory_mib}, "/tmp", walled->folder()};
}

}  // namespace vtax::host
