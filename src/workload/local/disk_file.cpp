#include "workload/local/disk_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "core/interruption.h"
#include "core/readable.h"

namespace vtax {
namespace {

constexpr std::uint64_t kPatternPiece = std::uint64_t{1} << 20;
constexpr std::uint64_t kSyncPiece = std::uint64_t{8} << 20;

Error existing_error(const std::string& path) {
  return {
      "cannot use " + printable(path), "it exists already, and vtax replaces nothing by itself",
      "name a file that is not there, on the file system that is to be measured; it is removed by itself. "
      "Or --use-existing, to read what is there or to write over it"};
}

// Why somebody else's file may not be used, if so.
std::optional<Error> refusal(const std::string& path, mode_t mode, DiskFile::Permission permission) {
  const std::string what = "cannot use " + printable(path);
  if (!S_ISREG(mode) && !S_ISBLK(mode))
    return Error{what, "it is neither a file nor a block device", "name a file, for example --file ./new"};
  if (S_ISBLK(mode) && permission.write && !permission.device)
    return Error{what, "writing to a block device destroys what is on it",
                 "--really-write-device does, if that is wanted; reading needs only --use-existing"};
  return std::nullopt;
}

// What statx(2) knows of direct I/O on the file: 0 where it does not tell.
std::uint64_t direct_alignment([[maybe_unused]] int fd) {
#ifdef STATX_DIOALIGN
  struct statx status {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 && (status.stx_mask & STATX_DIOALIGN) != 0)
    return std::max(status.stx_dio_offset_align, status.stx_dio_mem_align);
#endif
  return 0;
}

}  // namespace

Result<DiskFile> DiskFile::make(const std::string& path) {
  DiskFile made;
  made.path_ = path;
  made.file_ = Descriptor(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made.file_.valid()) {
    if (errno == EEXIST) return fail(existing_error(path));
    return fail(system_error("cannot make " + printable(path), errno));
  }
  if (unlink(path.c_str()) != 0) return fail(system_error("cannot unlink " + printable(path), errno));
  return made;
}

Result<DiskFile> DiskFile::existing(const std::string& path, std::uint64_t size, Permission permission) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return fail(system_error("cannot use " + printable(path), errno));
  if (const auto refused = refusal(path, status.st_mode, permission)) return fail(*refused);
  DiskFile used;
  used.path_ = path;
  const int exclusive = S_ISBLK(status.st_mode) && permission.write ? O_EXCL : 0;
  const int access = permission.write ? O_RDWR : O_RDONLY;
  used.file_ = Descriptor(open(path.c_str(), access | exclusive | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!used.file_.valid()) {
    Error error = system_error("cannot open " + printable(path), errno);
    if (errno == EBUSY) error.next = "it is mounted or part of something: vtax does not write to it";
    return fail(std::move(error));
  }
  // What was looked at above may have been replaced meanwhile.
  if (fstat(used.fd(), &status) != 0) return fail(used.error("look at", errno));
  if (const auto refused = refusal(path, status.st_mode, permission)) return fail(*refused);
  const off_t end = lseek(used.fd(), 0, SEEK_END);
  if (end < 0) return fail(used.error("measure", errno));
  if (static_cast<std::uint64_t>(end) < size)
    return fail({fmt::format("cannot use {} bytes of {}", size, printable(path)),
                 fmt::format("it has {}, and vtax does not let it grow", end), "ask for a smaller --size"});
  return used;
}

Error DiskFile::error(const std::string& what, int error_number) const {
  Error error = system_error(fmt::format("cannot {} {}", what, printable(path_)), error_number);
  if (error_number == EFBIG)
    error.next =
        "the process's limit of file sizes (ulimit -f) or the file system's: ask for a smaller --size";
  return error;
}

Error DiskFile::alignment_error(std::uint64_t block, std::uint64_t wanted) const {
  return {fmt::format("{} cannot be used directly in blocks of {} bytes", printable(path_), block),
          wanted == 0
              ? "direct I/O goes by whole logical blocks of the device, and this is no multiple of them"
              : fmt::format("direct I/O goes by whole logical blocks, here of {} bytes", wanted),
          fmt::format("ask for a multiple, for example --block {}, or leave --direct out",
                      std::max<std::uint64_t>(wanted, 4096))};
}

Result<> DiskFile::reserve(std::uint64_t size) const {
  if (fallocate(fd(), 0, 0, static_cast<off_t>(size)) == 0) return {};
  if (errno != EOPNOTSUPP && errno != ENOSYS)
    return fail(error(fmt::format("reserve {} for", readable_bytes(size)), errno));
  if (ftruncate(fd(), static_cast<off_t>(size)) != 0) return fail(error("extend", errno));
  return {};
}

Result<> DiskFile::write_pattern(std::uint64_t size, SectorPattern& pattern) const {
  for (std::uint64_t offset = 0; offset < size;) {
    if (interrupted()) return fail(interruption_error());
    const std::uint64_t wanted = std::min(kPatternPiece - offset % kPatternPiece, size - offset);
    const std::uint8_t* const from = pattern.content(wanted, offset);
    for (std::uint64_t done = 0; done < wanted;) {
      const ssize_t wrote = pwrite(fd(), from + done, wanted - done, static_cast<off_t>(offset + done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return fail(error("fill", wrote < 0 ? errno : ENOSPC));
      done += static_cast<std::uint64_t>(wrote);
    }
    offset += wanted;
    if (offset % kSyncPiece == 0)
      if (Result<> good = flush(offset - kSyncPiece, kSyncPiece, Flush::finish); !good) return good;
  }
  return sync();
}

Result<> DiskFile::go_direct(std::uint64_t block) const {
  const int flags = fcntl(fd(), F_GETFL);
  if (flags < 0 || fcntl(fd(), F_SETFL, flags | O_DIRECT) != 0) {
    Error wrong = error("go past the page cache with", errno);
    if (errno == EINVAL) {
      wrong.why = "its file system has no direct I/O (tmpfs, for example)";
      wrong.next = "choose a file on a disk, or leave --direct out";
      wrong.code = ExitCode::unavailable;
    }
    return fail(std::move(wrong));
  }
  const std::uint64_t wanted = direct_alignment(fd());
  if (wanted != 0 && block % wanted != 0) return fail(alignment_error(block, wanted));
  return {};
}

Result<> DiskFile::sync() const {
  while (fdatasync(fd()) != 0)
    if (errno != EINTR) return fail(error("put onto the disk", errno));
  return {};
}

// An error is told once (errseq_t in the kernel's Documentation/core-api), here or by the next fdatasync(2).
Result<> DiskFile::flush(std::uint64_t offset, std::uint64_t size, Flush how) const {
  const unsigned flags =
      how == Flush::start ? SYNC_FILE_RANGE_WRITE
                          : SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  while (sync_file_range(fd(), static_cast<off64_t>(offset), static_cast<off64_t>(size), flags) != 0) {
    if (errno == EINTR) continue;
    const bool unknown = errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == ESPIPE;
    return unknown ? Result<>() : fail(error("put onto the disk", errno));
  }
  return {};
}

Result<> DiskFile::sync_in_pieces(std::uint64_t size) const {
  if (Result<> good = flush(0, kSyncPiece, Flush::start); !good) return good;
  for (std::uint64_t offset = 0; offset < size; offset += kSyncPiece) {
    // One piece ahead, so that the disk always has work.
    if (Result<> good = flush(offset + kSyncPiece, kSyncPiece, Flush::start); !good) return good;
    if (Result<> good = flush(offset, kSyncPiece, Flush::finish); !good) return good;
    if (interrupted()) return fail(interruption_error());
  }
  return sync();
}

void DiskFile::drop_cache(std::uint64_t size) const {
  posix_fadvise(fd(), 0, static_cast<off_t>(size), POSIX_FADV_DONTNEED);
}

double DiskFile::cached_share(std::uint64_t size) const {
  void* const place = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd(), 0);
  if (place == MAP_FAILED) return 0;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page - 1) / page);
  std::size_t held = 0;
  if (mincore(place, size, pages.data()) == 0)
    held = static_cast<std::size_t>(
        std::count_if(pages.begin(), pages.end(), [](unsigned char state) { return (state & 1) != 0; }));
  munmap(place, size);
  return static_cast<double>(held) / static_cast<double>(pages.size());
}

}  // namespace vtax
