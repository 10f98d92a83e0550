#include "machine/lab/shell_image.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "core/files.h"
#include "machine/parts/cpio.h"
#include "machine/parts/whole_file.h"

namespace vtax::lab {
namespace {

constexpr std::size_t kArchiveAlignment = 512;

Result<> append(const Descriptor& file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return fail(system_error("cannot write the shell's image", errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<ShellInitrd> make_shell_initrd(const LabImage& image, PackageCache& cache, const Apt& apt,
                                      const TellStep& progress) {
  const auto packages = cache.fetch(PackageSet::shell, apt, progress, Fetch::content);
  if (!packages) return fail(packages.error());
  auto busybox = read_file(packages->root / "bin" / "busybox");
  if (!busybox) busybox = read_file(packages->root / "usr" / "bin" / "busybox");
  if (!busybox) return fail(busybox.error());
  auto initrd = read_file(image.initrd);
  if (!initrd) return fail(initrd.error());
  initrd->resize((initrd->size() + kArchiveAlignment - 1) / kArchiveAlignment * kArchiveAlignment);
  CpioArchive extra;
  extra.directory("bin");
  extra.file("lab/shell", std::move(*busybox), 0755);

  auto file = WholeFile::create(cache.workplace(), fmt::format("shell-{}", getpid()), 0600);
  if (!file) return fail(file.error());
  ShellInitrd out;
  out.path = file->path();
  Result<> written = append(file->file(), *initrd);
  if (written) written = append(file->file(), extra.bytes());
  if (!written) return fail(written.error());
  out.file = std::move(*file).take();
  return out;
}

}  // namespace vtax::lab
