#include "meter/bpf.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace vtax::meter::bpf {

int call_kernel(bpf_cmd command, bpf_attr& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

Error cannot(const std::string& what, const std::string& why) {
  return {what, why, "", ExitCode::unavailable};
}

Result<Descriptor> make_map(const std::string& what, bpf_map_type type, std::uint32_t key,
                            std::uint32_t value, std::uint32_t entries, std::uint32_t flags) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = key;
  attributes.value_size = value;
  attributes.max_entries = entries;
  attributes.map_flags = flags;
  Descriptor map(call_kernel(BPF_MAP_CREATE, attributes));
  if (!map.valid()) return fail(cannot(what, std::string("a BPF map: ") + std::strerror(errno)));
  return map;
}

Result<Descriptor> load_program(const std::string& what, const std::vector<bpf_insn>& code) {
  static const char licence[] = "Dual MIT/GPL";
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
  attributes.insns = reinterpret_cast<std::uint64_t>(code.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(code.size());
  attributes.license = reinterpret_cast<std::uint64_t>(licence);
  Descriptor program(call_kernel(BPF_PROG_LOAD, attributes));
  if (!program.valid()) return fail(cannot(what, std::string("a BPF program: ") + std::strerror(errno)));
  return program;
}

Result<Descriptor> attach(const std::string& what, const char* tracepoint, int program) {
  bpf_attr attributes{};
  attributes.raw_tracepoint.name = reinterpret_cast<std::uint64_t>(tracepoint);
  attributes.raw_tracepoint.prog_fd = static_cast<std::uint32_t>(program);
  Descriptor link(call_kernel(BPF_RAW_TRACEPOINT_OPEN, attributes));
  if (!link.valid())
    return fail(cannot(what, std::string("tracepoint ") + tracepoint + ": " + std::strerror(errno)));
  return link;
}

// "0-3" or "0".
std::size_t count_possible_cpus() {
  std::ifstream file("/sys/devices/system/cpu/possible");
  std::size_t first = 0, last = 0;
  char dash = 0;
  if (!(file >> first)) return 0;
  return file >> dash >> last ? last + 1 : first + 1;
}

}  // namespace vtax::meter::bpf
