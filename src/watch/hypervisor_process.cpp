#include "watch/hypervisor_process.h"

#include <algorithm>
#include <array>

#include "meter/kernel_text.h"

namespace vtax::watch {
namespace {

using meter::whole_number;

// "a=b,,c,d=e": QEMU's lists, in which a comma within a value is doubled.
std::vector<std::string> items_of(std::string_view list) {
  std::vector<std::string> items{""};
  for (std::size_t at = 0; at < list.size(); ++at) {
    if (list[at] != ',')
      items.back() += list[at];
    else if (list.substr(at + 1).starts_with(','))
      items.back() += list[at++];
    else
      items.emplace_back();
  }
  return items;
}

std::optional<std::string> item(const std::vector<std::string>& items, std::string_view key) {
  for (const std::string& one : items)
    if (one.starts_with(key) && one.size() > key.size() && one[key.size()] == '=')
      return one.substr(key.size() + 1);
  return std::nullopt;
}

// "512", "512M", "2G", "1048576k"; `unit`: of a plain number.
std::optional<std::uint64_t> size_of_memory(std::string_view text, std::uint64_t unit) {
  if (text.empty()) return std::nullopt;
  constexpr std::string_view kLetters = "bkmgt";
  const std::size_t letter = kLetters.find(static_cast<char>(text.back() | 0x20));
  if (letter != std::string_view::npos) {
    unit = std::uint64_t{1} << (10 * letter);
    text.remove_suffix(1);
  }
  const auto number = whole_number<std::uint64_t>(text);
  if (!number || *number > (std::uint64_t{1} << 62) / unit) return std::nullopt;
  return *number * unit;
}

std::string_view program_of(const std::vector<std::string>& arguments) {
  const std::string_view path = arguments.front();
  return path.substr(path.rfind('/') + 1);
}

HypervisorProcess qemu(const std::vector<std::string>& arguments) {
  HypervisorProcess out;
  const auto is_kvm = [](std::string_view accelerators) {
    return accelerators == "kvm" || accelerators.starts_with("kvm:") || accelerators.starts_with("kvm,");
  };
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    std::string_view option = arguments[at];
    if (option.starts_with("--")) option.remove_prefix(1);
    if (option == "-enable-kvm") out.kind = GuestKind::kvm;
    if (at + 1 == arguments.size()) break;
    const std::string& value = arguments[at + 1];
    if (option == "-accel" && is_kvm(value)) out.kind = GuestKind::kvm;
    const auto items = items_of(value);
    if (option == "-machine" || option == "-M")
      if (const auto accel = item(items, "accel"); accel && is_kvm(*accel)) out.kind = GuestKind::kvm;
    if (option == "-name") {
      const auto named = item(items, "guest");
      out.name = named ? *named : items.front().find('=') == std::string::npos ? items.front() : "";
    }
    if (option == "-m") {
      const auto size = item(items, "size");
      out.memory_bytes = size_of_memory(size ? *size : items.front(), std::uint64_t{1} << 20);
    }
    if (option == "-netdev" || option == "-net" || option == "-nic")
      if (const auto device = item(items, "ifname")) out.network_devices.push_back(*device);
    if (option == "-xen-domid") out.xen_domain = whole_number<int>(value);
  }
  return out;
}

HypervisorProcess small_kvm(const std::vector<std::string>& arguments) {
  HypervisorProcess out;
  out.kind = GuestKind::kvm;
  for (std::size_t at = 1; at + 1 < arguments.size(); ++at)
    if (arguments[at] == "--id" || arguments[at] == "--name") out.name = arguments[at + 1];
  return out;
}

// "eth0=tuntap,tap9,fe:fd:0:0:0:1": the device may be left out, and commas are not doubled as QEMU's are.
void add_legacy_tap(std::string_view text, HypervisorProcess& out) {
  constexpr std::string_view kWay = "=tuntap,";
  const std::size_t at = text.find(kWay);
  if (at == std::string_view::npos) return;
  text.remove_prefix(at + kWay.size());
  if (const auto device = text.substr(0, text.find(',')); !device.empty())
    out.network_devices.emplace_back(device);
}

HypervisorProcess user_mode_linux(const std::vector<std::string>& arguments) {
  HypervisorProcess out;
  out.kind = GuestKind::uml;
  for (const std::string& argument : arguments) {
    const std::string_view text = argument;
    if (text.starts_with("umid=")) out.name = text.substr(5);
    if (text.starts_with("mem=")) out.memory_bytes = size_of_memory(text.substr(4), 1);
    if (text.starts_with("vec"))
      if (const auto device = item(items_of(text), "ifname")) out.network_devices.push_back(*device);
    if (text.starts_with("eth")) add_legacy_tap(text, out);
  }
  return out;
}

bool is_user_mode_linux(const std::vector<std::string>& arguments) {
  const std::string_view program = program_of(arguments);
  if (program.find("linux") == std::string_view::npos && program.find("uml") == std::string_view::npos)
    return false;
  constexpr std::array kWords{"umid=", "ubd", "vec0:", "con0=", "con=", "initrd=", "root=", "rootfstype="};
  return std::any_of(arguments.begin() + 1, arguments.end(), [&](const std::string& argument) {
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](const char* word) { return argument.starts_with(word); });
  });
}

}  // namespace

std::optional<HypervisorProcess> hypervisor_of(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return std::nullopt;
  const std::string_view program = program_of(arguments);
  if (program.starts_with("qemu-system-") || program == "qemu-kvm" || program == "kvm")
    return qemu(arguments);
  for (const char* known : {"firecracker", "cloud-hypervisor", "crosvm", "lkvm", "kvmtool"})
    if (program == known) return small_kvm(arguments);
  if (is_user_mode_linux(arguments)) return user_mode_linux(arguments);
  return std::nullopt;
}

std::optional<int> virtual_cpu_of(std::string_view thread_name) {
  if (thread_name.starts_with("CPU ")) {
    const std::size_t slash = thread_name.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto number = whole_number<int>(thread_name.substr(4, slash - 4));
    return number && *number >= 0 ? number : std::nullopt;
  }
  for (const std::string_view before : {"fc_vcpu ", "vcpu", "crosvm_vcpu", "kvm-vcpu-"})
    if (thread_name.starts_with(before))
      if (const auto number = whole_number<int>(thread_name.substr(before.size())); number && *number >= 0)
        return number;
  return std::nullopt;
}

}  // namespace vtax::watch
