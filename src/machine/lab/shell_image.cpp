#include "machine/lab/shell_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "core/files.h"
#include "machine/parts/cpio.h"

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

  ShellInitrd out;
  out.file = Descriptor(open(cache.workplace().c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!out.file.valid()) return fail(system_error("cannot write into " + cache.workplace().string(), errno));
  out.path = fmt::format("/proc/{}/fd/{}", getpid(), out.file.get());
  Result<> written = append(out.file, *initrd);
  if (written) written = append(out.file, extra.bytes());
  if (!written) return fail(written.error());
  return out;
}

}  // namespace vtax::lab
