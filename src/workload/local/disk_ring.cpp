#include <fmt/format.h>
#include <liburing.h>
#include <sys/mman.h>

#include <cerrno>
#include <vector>

#include "core/interruption.h"
#include "workload/local/disk_run.h"

namespace vtax {
namespace {

class DiskRing {
 public:
  explicit DiskRing(DiskRun& run) : run_(run), slots_(run.options.depth) {}
  DiskRing(const DiskRing&) = delete;
  ~DiskRing() {
    if (ready_) io_uring_queue_exit(&ring_);
    if (buffers_ != nullptr) munmap(buffers_, buffer_bytes());
  }

  Result<> prepare() {
    const auto depth = static_cast<unsigned>(slots_.size());
    // Completions are looked for only when this thread asks: no interruption of what it does meanwhile. Older
    // kernels do not know the flags.
    int error = -EINVAL;
#if defined(IORING_SETUP_SINGLE_ISSUER) && defined(IORING_SETUP_COOP_TASKRUN)
    error = io_uring_queue_init(depth, &ring_, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN);
#endif
    if (error == -EINVAL) error = io_uring_queue_init(depth, &ring_, 0);
    if (error < 0) {
      Error wrong = system_error("cannot have several blocks in flight through io_uring", -error);
      wrong.next = "the kernel, a container or sysctl kernel.io_uring_disabled forbids it: use --depth 1";
      wrong.code = ExitCode::unavailable;
      return fail(std::move(wrong));
    }
    ready_ = true;
    void* const place =
        mmap(nullptr, buffer_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) return fail(run_.io_error(errno));
    buffers_ = static_cast<std::uint8_t*>(place);
    // Pinned once in place of for every block; a small limit of locked memory is no error.
    const iovec all{buffers_, buffer_bytes()};
    fixed_ = io_uring_register_buffers(&ring_, &all, 1) == 0;
    const int fd = run_.file.fd();
    file_registered_ = io_uring_register_files(&ring_, &fd, 1) == 0;
    return {};
  }

  Result<> work() {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) queue(slot);
    Result<> result;
    while (in_flight_ > 0) {
      if (Result<> good = turn(); !good) {
        // What is in flight uses the buffers: it is waited for, and no more is begun.
        stopping_ = true;
        if (result) result = good;
      }
      if (broken_) return result;
    }
    return result;
  }

 private:
  struct Slot {
    std::uint64_t offset = 0;
    DiskClock::time_point start{};
  };

  [[nodiscard]] std::size_t buffer_bytes() const {
    return slots_.size() * ((run_.options.block + 4095) / 4096 * 4096);
  }
  [[nodiscard]] std::uint8_t* buffer(std::size_t slot) const {
    return buffers_ + slot * ((run_.options.block + 4095) / 4096 * 4096);
  }
  [[nodiscard]] bool reads() const {
    return run_.options.operation == DiskOperation::read;
  }

  void queue(std::size_t slot) {
    if (stopping_ || interrupted()) return;
    const auto now = DiskClock::now();
    if (run_.time_is_over(now)) return;
    const auto offset = run_.next_offset();
    if (!offset) return;
    slots_[slot] = {*offset, now};
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);  // there are as many as slots
    const auto length = static_cast<unsigned>(run_.options.block);
    const int fd = file_registered_ ? 0 : run_.file.fd();
    if (!reads()) run_.pattern.fill(buffer(slot), length, *offset);
    if (reads() && fixed_) io_uring_prep_read_fixed(entry, fd, buffer(slot), length, *offset, 0);
    if (reads() && !fixed_) io_uring_prep_read(entry, fd, buffer(slot), length, *offset);
    if (!reads() && fixed_) io_uring_prep_write_fixed(entry, fd, buffer(slot), length, *offset, 0);
    if (!reads() && !fixed_) io_uring_prep_write(entry, fd, buffer(slot), length, *offset);
    if (file_registered_) io_uring_sqe_set_flags(entry, IOSQE_FIXED_FILE);
    if (!reads() && run_.options.sync == DiskSync::each) entry->rw_flags = RWF_DSYNC;
    io_uring_sqe_set_data64(entry, slot);
    ++in_flight_;
  }

  // Submits what is queued, waits for at least one completion and handles all that are there.
  Result<> turn() {
    const int submitted = io_uring_submit_and_wait(&ring_, 1);
    if (submitted < 0 && submitted != -EINTR && submitted != -EAGAIN && submitted != -EBUSY) {
      broken_ = true;
      return fail(run_.io_error(-submitted));
    }
    const auto now = DiskClock::now();
    Result<> result;
    io_uring_cqe* completion = nullptr;
    while (io_uring_peek_cqe(&ring_, &completion) == 0) {
      const std::size_t slot = io_uring_cqe_get_data64(completion);
      const int moved = completion->res;
      io_uring_cqe_seen(&ring_, completion);
      --in_flight_;
      if (Result<> good = handle(slot, moved, now); !good && result) result = good;
      if (result) queue(slot);
    }
    return result;
  }

  Result<> handle(std::size_t slot, int moved, DiskClock::time_point now) {
    if (moved < 0) return fail(run_.io_error(-moved));
    // A regular file moves whole blocks unless it ends or the disk is full.
    if (static_cast<std::uint64_t>(moved) != run_.options.block)
      return fail(run_.io_error(reads() ? EIO : ENOSPC));
    return run_.finished(slots_[slot].offset, reads() ? buffer(slot) : nullptr, now - slots_[slot].start);
  }

  DiskRun& run_;
  std::vector<Slot> slots_;
  io_uring ring_{};
  std::uint8_t* buffers_ = nullptr;
  std::size_t in_flight_ = 0;
  bool ready_ = false, fixed_ = false, file_registered_ = false, stopping_ = false, broken_ = false;
};

}  // namespace

Result<> run_in_flight(DiskRun& run) {
  DiskRing ring(run);
  if (Result<> good = ring.prepare(); !good) return good;
  return ring.work();
}

}  // namespace vtax
