#include "meter/xen_times.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>

#include "core/descriptor.h"

namespace vtax::meter {
namespace {

constexpr int most_virtual_cpus = 64;

// xen/include/public/xen.h and domctl.h.
constexpr std::uint64_t hypercall_domctl = 36;
constexpr std::uint32_t command_getvcpuinfo = 14;
constexpr std::uint32_t oldest_interface = 6, newest_interface = 23;

struct GetVcpuInfo {
  std::uint32_t virtual_cpu;
  std::uint8_t online, blocked, running;
  alignas(8) std::uint64_t cpu_time_ns;
  std::uint32_t cpu;
};

struct DomctlRequest {
  std::uint32_t command, interface_version;
  std::uint16_t domain;
  GetVcpuInfo info;
  std::uint8_t rest[512];  // Xen writes back its whole union, of 128 bytes so far
};
static_assert(offsetof(DomctlRequest, info) == 16 && offsetof(GetVcpuInfo, cpu_time_ns) == 8);

// linux/include/uapi/xen/privcmd.h.
struct PrivcmdHypercall {
  std::uint64_t op = 0, arguments[5] = {};
};
constexpr unsigned long ioctl_hypercall = _IOC(_IOC_NONE, 'P', 0, sizeof(PrivcmdHypercall));

// A page that stays in memory while Xen writes to it.
class LockedRequest {
 public:
  LockedRequest()
      : page_(mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1,
                   0)) {}
  LockedRequest(const LockedRequest&) = delete;
  LockedRequest& operator=(const LockedRequest&) = delete;
  ~LockedRequest() {
    if (valid()) munmap(page_, page_bytes);
  }
  [[nodiscard]] bool valid() const { return page_ != MAP_FAILED; }
  DomctlRequest& renew() { return *new (page_) DomctlRequest{}; }

 private:
  static constexpr std::size_t page_bytes = 4096;
  void* page_;
};

class Domctl {
 public:
  static Result<Domctl> open() {
    Domctl self;
    for (const char* path : {"/dev/xen/privcmd", "/proc/xen/privcmd"})
      if (!self.device_.valid()) self.device_ = Descriptor(::open(path, O_RDWR | O_CLOEXEC));
    if (!self.device_.valid()) return fail(failed(errno));
    return self;
  }

  // Nothing: there is no such virtual CPU.
  Result<std::optional<std::uint64_t>> time_of(int domain, int virtual_cpu) {
    for (; version_ <= newest_interface; ++version_) {
      LockedRequest page;
      if (!page.valid()) return fail(failed(errno));
      DomctlRequest& request = page.renew();
      request.command = command_getvcpuinfo;
      request.interface_version = version_;
      request.domain = static_cast<std::uint16_t>(domain);
      request.info.virtual_cpu = static_cast<std::uint32_t>(virtual_cpu);
      PrivcmdHypercall call;
      call.op = hypercall_domctl;
      call.arguments[0] = reinterpret_cast<std::uintptr_t>(&request);
      if (ioctl(device_.get(), ioctl_hypercall, &call) == 0) return std::optional(request.info.cpu_time_ns);
      if (errno == ESRCH || errno == EINVAL) return std::optional<std::uint64_t>{};
      if (errno != EACCES) return fail(failed(errno));  // EACCES: another interface version
    }
    return fail(
        Error{"read Xen's CPU times",
              fmt::format("this Xen's domctl interface is none of the versions {} to {}, of which the "
                          "layout is known here",
                          oldest_interface, newest_interface),
              "use a vtax that is as new as this Xen", ExitCode::unavailable});
  }

 private:
  static Error failed(int why) {
    Error error = system_error("cannot read Xen's CPU times", why);
    error.next = "they are read in Domain-0, as root";
    error.code = ExitCode::unavailable;
    return error;
  }

  Descriptor device_;
  std::uint32_t version_ = oldest_interface;
};

}  // namespace

Result<std::vector<VirtualCpuTime>> read_xen_times(std::span<const int> domains) {
  auto xen = Domctl::open();
  if (!xen) return fail(xen.error());
  std::vector<VirtualCpuTime> times;
  for (const int domain : domains)
    for (int virtual_cpu = 0; virtual_cpu < most_virtual_cpus; ++virtual_cpu) {
      const auto time = xen->time_of(domain, virtual_cpu);
      if (!time) return fail(time.error());
      if (!*time) break;
      times.push_back({domain, virtual_cpu, **time});
    }
  return times;
}

}  // namespace vtax::meter
