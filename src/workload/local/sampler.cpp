#include "workload/local/sampler.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <unordered_map>

namespace vtax {
namespace {

constexpr std::size_t kPageBytes = 4096, kRingBytes = 64 * kPageBytes;  // some 10,000 samples
static_assert((kRingBytes & (kRingBytes - 1)) == 0);

perf_event_attr sampling_attributes(std::uint64_t hz) {
  perf_event_attr out{};
  out.size = sizeof out;
  out.type = PERF_TYPE_SOFTWARE;
  out.config = PERF_COUNT_SW_CPU_CLOCK;
  out.sample_period = 1'000'000'000 / hz;
  out.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID;
  out.exclude_idle = 1;
  out.disabled = 1;
  out.watermark = 1;
  out.wakeup_watermark = kRingBytes / 2;
  return out;
}

}  // namespace

// The kernel writes at data_head, we read at data_tail; both only ever grow.
struct Sampler::Ring {
  Descriptor event;
  perf_event_mmap_page* control = nullptr;
  const std::byte* data = nullptr;
  std::unordered_map<std::uint64_t, std::uint64_t> found;  // samples by address

  ~Ring() {
    if (control != nullptr) munmap(control, kPageBytes + kRingBytes);
  }

  void copy(std::uint64_t from, void* into, std::size_t bytes) const {
    for (std::size_t i = 0; i < bytes; ++i)
      static_cast<std::byte*>(into)[i] = data[(from + i) & (kRingBytes - 1)];
  }

  void empty(std::atomic<std::uint64_t>& samples, std::atomic<std::uint64_t>& lost) {
    const std::uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
    std::uint64_t tail = control->data_tail;
    while (tail < head) {
      perf_event_header header{};
      copy(tail, &header, sizeof header);
      if (header.size < sizeof header) break;
      std::array<std::uint64_t, 2> body{};  // of a sample address and thread, of what was lost id and number
      copy(tail + sizeof header, body.data(), std::min(sizeof body, header.size - sizeof header));
      if (header.type == PERF_RECORD_SAMPLE) {
        ++found[body[0]];
        ++samples;
      } else if (header.type == PERF_RECORD_LOST) {
        lost += body[1];
      }
      tail += header.size;
    }
    __atomic_store_n(&control->data_tail, head, __ATOMIC_RELEASE);
  }
};

Result<std::unique_ptr<Sampler>> Sampler::start(std::uint64_t hz, const std::vector<int>& cpus) {
  std::unique_ptr<Sampler> self(new Sampler);
  if (hz == 0 || hz > kMostSamplingHz)
    return fail({"cannot sample",
                 fmt::format("{} samples a second are not from 1 to {}", hz, kMostSamplingHz), "",
                 ExitCode::usage});
  for (const int cpu : cpus) {
    auto ring = std::make_unique<Ring>();
    perf_event_attr attributes = sampling_attributes(hz);
    ring->event = Descriptor(
        static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!ring->event.valid()) {
      Error error = system_error(fmt::format("cannot sample CPU {}", cpu), errno);
      error.next = "run as root, or set kernel.perf_event_paranoid to -1";
      error.code = ExitCode::unavailable;
      return fail(std::move(error));
    }
    void* const mapped =
        mmap(nullptr, kPageBytes + kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->event.get(), 0);
    if (mapped == MAP_FAILED) return fail(system_error("cannot map a profiler's ring", errno));
    ring->control = static_cast<perf_event_mmap_page*>(mapped);
    ring->data = static_cast<const std::byte*>(mapped) + kPageBytes;
    self->rings_.push_back(std::move(ring));
  }
  self->stop_ = Descriptor(eventfd(0, EFD_CLOEXEC));
  if (!self->stop_.valid()) return fail(system_error("cannot start a profiler", errno));
  for (const auto& ring : self->rings_)
    if (ioctl(ring->event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0)
      return fail(system_error("cannot start a profiler", errno));
  self->thread_ = std::thread([sampler = self.get()] { sampler->work(); });
  return self;
}

// Sleeps until a ring is half full.
void Sampler::work() {
  std::vector<pollfd> waits{{stop_.get(), POLLIN, 0}};
  for (const auto& ring : rings_) waits.push_back({ring->event.get(), POLLIN, 0});
  while (true) {
    if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    for (const auto& ring : rings_) ring->empty(samples_, lost_);
    if ((waits.front().revents & POLLIN) != 0) return;
  }
}

Sampler::~Sampler() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  if (write(stop_.get(), &one, sizeof one) == sizeof one)
    thread_.join();
  else
    thread_.detach();
}

}  // namespace vtax
