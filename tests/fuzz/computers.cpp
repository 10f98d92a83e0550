#include <algorithm>

#include "core/readable.h"
#include "meter/process_table.h"
#include "tests/fuzz/targets.h"
#include "watch/container_groups.h"
#include "watch/hypervisor_process.h"
#include "watch/inventory.h"

namespace vtax::fuzz {
namespace {

const std::string container_hash(64, 'c');

std::vector<std::string> group_paths() {
  return {"/system.slice/docker-" + container_hash + ".scope/init",
          "/lxc.payload.web/x",
          "/kubepods/besteffort/pod1/" + container_hash,
          "/machine.slice/machine-lxc\\x2d7\\x2dmail.scope",
          "/machine.slice/systemd-nspawn@a.service",
          "/machine.slice/libpod-" + container_hash + ".scope"};
}

bool try_group_path(std::string_view path) {
  const auto found = watch::container_of(path);
  if (!found) return false;
  require(path.starts_with(found->path), "a container's group is above its tasks'");
  require(!found->name.empty(), "a container has a name");
  require(found->hash.empty() || found->hash.size() == 64, "a hash is whole");
  return true;
}

// Arguments, one a line.
std::vector<std::string> command_lines() {
  return {
      "/usr/bin/"
      "qemu-system-x86_64\n-name\nguest=db,,1,debug-threads=on\n-machine\npc,accel=kvm\n-m\nsize=2G,slots=2",
      "qemu-system-i386\n-xen-domid\n7\n-nic\ntap,ifname=t0\n-m\n512",
      "linux.uml\numid=u\nmem=256M\nvec0:transport=tap,ifname=t1\neth0=tuntap,t2", "firecracker\n--id\nf"};
}

// Whatever a process is called: names of guests are text, unique, and its memory is no overflow.
bool try_command_line(std::string_view text) {
  watch::Facts facts;
  for (int number : {100, 200}) {
    meter::ProcessFacts& process = facts.processes[number];
    process.number = number;
    process.name = "x";
    for (std::string_view rest = text; !rest.empty();) {
      process.arguments.emplace_back(rest.substr(0, rest.find('\n')));
      rest.remove_prefix(std::min(process.arguments.back().size() + 1, rest.size()));
    }
  }
  facts.processes[200].arguments.emplace_back("other");
  const auto inventory = watch::make_inventory(facts);
  for (const auto& guest : inventory.guests) {
    require(is_text(guest.name) && guest.name.find('\n') == std::string::npos, "a name is text of one line");
    require(!guest.memory_bytes || *guest.memory_bytes <= std::uint64_t{1} << 62, "memory is no overflow");
  }
  for (std::size_t i = 1; i < inventory.guests.size(); ++i)
    require(inventory.guests[i].name != inventory.guests[i - 1].name, "names are unique");
  return !inventory.guests.empty();
}

std::vector<std::string> stat_lines() {
  return {
      "4711 (a) b (c)) S 12 4711 1 0 -1 4194560 100 0 0 0 7 8 0 0 20 0 3 0 123456 1000 200 1 1 1 0 0 0 0 0 0 "
      "0 0 0 0 "
      "17 5 0 0 0 99 0 0 0 0 0 0 0 0 0\n"};
}

bool try_stat_line(std::string_view text) {
  const auto line = meter::parse_process_line(text);
  if (!line) return false;
  require(
      line->name.data() >= text.data() && line->name.data() + line->name.size() <= text.data() + text.size(),
      "a name is a part of the line");
  return true;
}

}  // namespace

std::vector<Target> targets_of_computers() {
  return {{"group-path", group_paths, try_group_path},
          {"command-line", command_lines, try_command_line},
          {"process-stat", stat_lines, try_stat_line}};
}

}  // namespace vtax::fuzz
