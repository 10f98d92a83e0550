#include "meter/metered_thread.h"

#include <algorithm>

namespace vtax::meter {

using Role = MeteredProcess::Role;

const MeteredProcess* owner_of(int process, const std::vector<MeteredProcess>& all,
                               const std::map<int, int>& parents) {
  for (int steps = 0; process != 0 && process != 1 && steps < 64; ++steps) {
    for (const MeteredProcess& metered : all)
      if (metered.process == process) return &metered;
    const auto parent = parents.find(process);
    if (parent == parents.end()) return nullptr;
    process = parent->second;
  }
  return nullptr;
}

ThreadKind kind_of(const ThreadTime& thread, const MeteredProcess& owner) {
  switch (owner.role) {
    case Role::system:
      return ThreadKind::host;
    case Role::partner:
      return ThreadKind::partner;
    case Role::emulator:
      return thread.name.starts_with("CPU ") ? ThreadKind::virtual_cpu : ThreadKind::emulator;
    case Role::kvm:
      return thread.name.starts_with("CPU ") ? ThreadKind::kvm_cpu : ThreadKind::emulator;
    case Role::uml:
      return thread.process == owner.process ? ThreadKind::uml_kernel : ThreadKind::uml_program;
  }
  return ThreadKind::host;
}

bool has_guest(const std::vector<MeteredProcess>& all) {
  return std::any_of(all.begin(), all.end(), [](const MeteredProcess& p) {
    return p.role == Role::emulator || p.role == Role::kvm || p.role == Role::uml;
  });
}

}  // namespace vtax::meter
