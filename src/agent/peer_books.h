#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/result.h"

namespace vtax::agent {

// What the sources of other monitors say of the window, for the table of their errors beside the exact ledger
// (bench/watch_error). The result's "peers":
//   {"guests": [{"name", ...}, ...], "xentop": text}
// Of KVM's guests: "virtual_cpus_ns" and "other_threads_ns", by schedstat, which kvmtop shows as the guest's
// and as its host's part; "ticks_ns", user and system time of QEMU's process, which libvirt's exporters show;
// "vhost_ns", of kernel threads that a control group would have counted as well. Where Domain-0 has xentop,
// what that printed: one second that the window lies in.
class PeerBooks {
 public:
  // The one nearer to the window first, in both.
  [[nodiscard]] Result<> begin();
  [[nodiscard]] Result<> end();
  void describe(nlohmann::json& result) const;

 private:
  struct Times {
    std::uint64_t virtual_cpus_ns = 0, other_threads_ns = 0, ticks_ns = 0, vhost_ns = 0;
  };
  [[nodiscard]] static Result<std::map<std::string, Times>> read();

  std::map<std::string, Times> before_, after_;
  pid_t xentop_ = -1;
  std::string xentop_says_;
};

}  // namespace vtax::agent
