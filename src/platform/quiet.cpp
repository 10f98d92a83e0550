#include "platform/quiet.h"

#include <filesystem>

#include "core/kernel_file.h"

namespace vtax {

Result<> quieten_namespace() {
  for (const char* devices : {"all", "default"}) {
    const auto path = std::filesystem::path("/proc/sys/net/ipv6/conf") / devices / "disable_ipv6";
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;  // a kernel without IPv6 is quiet already
    if (Result<> written = write_kernel_file(path, "1"); !written) return written;
  }
  // A connection begins as any does, whatever an earlier one to the same address has learnt.
  if (Result<> written = write_kernel_file("/proc/sys/net/ipv4/tcp_no_metrics_save", "1"); !written)
    return written;
  return write_kernel_file("/proc/sys/net/ipv4/tcp_slow_start_after_idle", "0");
}

}  // namespace vtax
