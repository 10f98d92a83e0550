#include "meter/xen_calls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "core/kernel_file.h"

namespace vtax::meter {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::uint32_t kNewestDomctl = 23, kNewestSysctl = 21;

// xen/include/public/xen.h, domctl.h, sysctl.h.
constexpr std::uint64_t kHypercallSysctl = 35, kHypercallDomctl = 36;
constexpr std::uint32_t kDomctlGetvcpuinfo = 14, kSysctlPhysinfo = 3, kSysctlGetdomaininfolist = 6;

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

struct SysctlRequest {
  std::uint32_t command, interface_version;
  union {
    struct {
      std::uint32_t threads_per_core, cores_per_socket, cpus;
    } physical;
    struct {
      std::uint16_t first;
      std::uint32_t most;
      std::uint64_t answer;
      std::uint32_t found;
    } list;
    std::uint8_t all[512];
  };
};
static_assert(offsetof(SysctlRequest, list.answer) == 16 && offsetof(SysctlRequest, list.found) == 24 &&
              offsetof(SysctlRequest, physical.cpus) == 16);

// What follows differs from version to version, and is not read.
struct GetDomainInfo {
  std::uint16_t domain;
  std::uint32_t flags;
  std::uint64_t pages, most_pages, outstanding_pages, shared_pages, paged_pages, shared_info_frame,
      cpu_time_ns;
  std::uint32_t online_virtual_cpus, last_virtual_cpu, security;
  std::uint8_t handle[16];
};
static_assert(offsetof(GetDomainInfo, cpu_time_ns) == 56 && offsetof(GetDomainInfo, handle) == 76);
constexpr std::uint32_t kFlagDying = 1, kFlagVirtualised = 2, kFlagShutDown = 4, kFlagPaused = 8;

// linux/include/uapi/xen/privcmd.h.
struct PrivcmdHypercall {
  std::uint64_t op = 0, arguments[5] = {};
};
constexpr unsigned long kIoctlHypercall = _IOC(_IOC_NONE, 'P', 0, sizeof(PrivcmdHypercall));

constexpr const char* kAskingXen = "cannot read Xen's CPU times";

Error xen_refused(int why) {
  Error error = system_error(kAskingXen, why);
  error.next = "they are read in Domain-0, as root";
  error.code = ExitCode::unavailable;
  return error;
}

Error unknown_xen() {
  const auto major = read_kernel_file("/sys/hypervisor/version/major"),
             minor = read_kernel_file("/sys/hypervisor/version/minor");
  return {kAskingXen,
          fmt::format(
              "the interface of this Xen{} is none of those of which the layout is known here (Xen 4.6 to "
              "4.20)",
              major && minor ? fmt::format(", {}.{},", *major, *minor) : ""),
          "use a vtax that is as new as this Xen", ExitCode::unavailable};
}

}  // namespace

XenCalls::Page::Page()
    : at_(mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1,
               0)) {
  if (at_ == MAP_FAILED) at_ = nullptr;
}

XenCalls::Page::~Page() {
  if (valid()) munmap(at_, kPageBytes);
}

void* XenCalls::Page::renew() {
  return std::memset(at_, 0, kPageBytes);
}

Result<XenCalls> XenCalls::open() {
  XenCalls calls;
  for (const char* path : {"/dev/xen/privcmd", "/proc/xen/privcmd"})
    if (!calls.device_.valid()) calls.device_ = Descriptor(::open(path, O_RDWR | O_CLOEXEC));
  if (!calls.device_.valid() || !calls.request_.valid() || !calls.answer_.valid())
    return fail(xen_refused(errno));
  return calls;
}

template <class Prepare>
Result<int> XenCalls::ask(std::uint64_t operation, std::uint32_t& version, std::uint32_t newest,
                          const Prepare& prepare) {
  for (; version <= newest; ++version) {
    PrivcmdHypercall call;
    call.op = operation;
    call.arguments[0] = reinterpret_cast<std::uintptr_t>(prepare(request_.renew(), version));
    if (ioctl(device_.get(), kIoctlHypercall, &call) == 0) return 0;
    if (errno != EACCES) return errno;  // EACCES: another interface version
  }
  return fail(unknown_xen());
}

Result<std::optional<XenVirtualCpu>> XenCalls::virtual_cpu(int domain, int number) {
  DomctlRequest* request = nullptr;
  const auto asked = ask(kHypercallDomctl, domctl_, kNewestDomctl, [&](void* page, std::uint32_t version) {
    request = new (page) DomctlRequest;
    request->command = kDomctlGetvcpuinfo;
    request->interface_version = version;
    request->domain = static_cast<std::uint16_t>(domain);
    request->info.virtual_cpu = static_cast<std::uint32_t>(number);
    return request;
  });
  if (!asked) return fail(asked.error());
  if (*asked == ESRCH || *asked == EINVAL) return std::optional<XenVirtualCpu>{};
  if (*asked != 0) return fail(xen_refused(*asked));
  const GetVcpuInfo& info = request->info;
  return std::optional(XenVirtualCpu{info.online != 0, info.blocked != 0, info.running != 0, info.cpu_time_ns,
                                     static_cast<int>(info.cpu)});
}

Result<std::optional<XenDomain>> XenCalls::domain_from(int number) {
  SysctlRequest* request = nullptr;
  void* answer = answer_.renew();
  const auto asked = ask(kHypercallSysctl, sysctl_, kNewestSysctl, [&](void* page, std::uint32_t version) {
    request = new (page) SysctlRequest;
    request->command = kSysctlGetdomaininfolist;
    request->interface_version = version;
    request->list.first = static_cast<std::uint16_t>(number);
    request->list.most = 1;
    request->list.answer = reinterpret_cast<std::uintptr_t>(answer);
    return request;
  });
  if (!asked) return fail(asked.error());
  if (*asked != 0) return fail(xen_refused(*asked));
  if (request->list.found == 0) return std::optional<XenDomain>{};
  GetDomainInfo info;
  std::memcpy(&info, answer, sizeof info);
  XenDomain domain;
  domain.number = info.domain;
  std::memcpy(domain.handle.data(), info.handle, sizeof info.handle);
  domain.dying = (info.flags & kFlagDying) != 0;
  domain.virtualised = (info.flags & kFlagVirtualised) != 0;
  domain.shut_down = (info.flags & kFlagShutDown) != 0;
  domain.paused = (info.flags & kFlagPaused) != 0;
  domain.pages = info.pages;
  domain.most_pages = info.most_pages;
  domain.busy_ns = info.cpu_time_ns;
  domain.virtual_cpus = static_cast<int>(info.last_virtual_cpu) + 1;
  return std::optional(domain);
}

Result<int> XenCalls::physical_cpus() {
  SysctlRequest* request = nullptr;
  const auto asked = ask(kHypercallSysctl, sysctl_, kNewestSysctl, [&](void* page, std::uint32_t version) {
    request = new (page) SysctlRequest;
    request->command = kSysctlPhysinfo;
    request->interface_version = version;
    return request;
  });
  if (!asked) return fail(asked.error());
  if (*asked != 0) return fail(xen_refused(*asked));
  return static_cast<int>(request->physical.cpus);
}

}  // namespace vtax::meter
