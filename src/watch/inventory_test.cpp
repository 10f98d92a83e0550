#include "watch/inventory.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "core/noise_for_test.h"
#include "core/readable.h"
#include "watch/container_groups.h"
#include "watch/hypervisor_process.h"

namespace vtax::watch {
namespace {

const std::string hash(64, 'a'), other_hash = std::string(63, 'a') + "b";

TEST(ContainerGroups, AreKnownByTheirPaths) {
  const struct {
    std::string path, found_by, name, own;
  } cases[] = {
      {"/docker/" + hash, "docker", "aaaaaaaaaaaa", "/docker/" + hash},
      {"/system.slice/docker-" + hash + ".scope/init", "docker", "aaaaaaaaaaaa",
       "/system.slice/docker-" + hash + ".scope"},
      {"/machine.slice/libpod-" + hash + ".scope/container", "podman", "aaaaaaaaaaaa",
       "/machine.slice/libpod-" + hash + ".scope"},
      {"/lxc.payload.web/system.slice/x.service", "lxc", "web", "/lxc.payload.web"},
      {"/lxc/web", "lxc", "web", "/lxc/web"},
      {"/machine.slice/systemd-nspawn@my\\x2dbox.service/payload", "systemd", "my-box",
       "/machine.slice/systemd-nspawn@my\\x2dbox.service"},
      {"/machine.slice/machine-deb.scope", "systemd", "deb", "/machine.slice/machine-deb.scope"},
      {"/machine.slice/machine-lxc\\x2d7\\x2dmail.scope", "libvirt", "mail",
       "/machine.slice/machine-lxc\\x2d7\\x2dmail.scope"},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + hash +
           ".scope",
       "kubernetes", "aaaaaaaaaaaa",
       "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + hash +
           ".scope"},
      {"/kubepods/besteffort/pod1/" + hash, "kubernetes", "aaaaaaaaaaaa",
       "/kubepods/besteffort/pod1/" + hash},
  };
  for (const auto& one : cases) {
    const auto found = container_of(one.path);
    ASSERT_TRUE(found) << one.path;
    EXPECT_EQ(found->found_by, one.found_by) << one.path;
    EXPECT_EQ(found->name, one.name) << one.path;
    EXPECT_EQ(found->path, one.own);
  }
  for (const char* none :
       {"/", "/user.slice/user-0.slice/session-1.scope", "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
        "/docker/short", "/docker", "", "/lxc.monitor.web", "/libpod-conmon-x.scope"})
    EXPECT_FALSE(container_of(none)) << none;
}

TEST(ContainerGroups, NoiseIsNoCrashAndAPathBeginsTheGivenOne) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 3000; ++round) {
    const std::string path =
        with_noise("/system.slice/docker-" + hash + ".scope/lxc/web/machine-lxc\\x2d7\\x2d.scope", random);
    if (const auto found = container_of(path)) {
      EXPECT_TRUE(path.starts_with(found->path));
      EXPECT_FALSE(found->name.empty());
    }
  }
}

TEST(ContainerGroups, NamesComeFromTheirKeepers) {
  EXPECT_EQ(docker_name(R"({"Name":"/web","ID":"x"})"), "web");
  EXPECT_FALSE(docker_name(R"({"Name":7})"));
  EXPECT_FALSE(docker_name("{"));
  EXPECT_EQ(podman_name(R"([{"id":"1","names":["a"]},{"id":"2","names":["b"]}])", "2"), "b");
  EXPECT_FALSE(podman_name(R"([{"id":"2","names":[]},5])", "2"));
}

TEST(HypervisorProcess, QemusArgumentsNameItsGuest) {
  const auto libvirt = hypervisor_of({"/usr/bin/qemu-system-x86_64", "-name", "guest=db,,1,debug-threads=on",
                                      "-machine", "pc-q35,accel=kvm,usb=off", "-m", "size=2097152k,slots=16",
                                      "-netdev", "tap,fd=31,id=n"});
  ASSERT_TRUE(libvirt);
  EXPECT_EQ(libvirt->name, "db,1");
  EXPECT_EQ(libvirt->kind, GuestKind::kvm);
  EXPECT_EQ(libvirt->memory_bytes, std::uint64_t{2} << 30);
  const auto plain = hypervisor_of({"qemu-system-arm", "-name", "box,debug-threads=on", "-accel", "tcg", "-m",
                                    "512", "-nic", "tap,ifname=tap3,script=no"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->name, "box");
  EXPECT_EQ(plain->kind, GuestKind::qemu);
  EXPECT_EQ(plain->memory_bytes, std::uint64_t{512} << 20);
  EXPECT_EQ(plain->network_devices, std::vector<std::string>{"tap3"});
  EXPECT_EQ(hypervisor_of({"qemu-system-i386", "-xen-domid", "7", "-name", "vm"})->xen_domain, 7);
  EXPECT_EQ(hypervisor_of({"/usr/bin/firecracker", "--id", "f1"})->name, "f1");
  const auto uml =
      hypervisor_of({"./linux.uml", "mem=256M", "umid=u1", "vec0:transport=tap,ifname=t0,depth=128"});
  ASSERT_TRUE(uml);
  EXPECT_EQ(uml->kind, GuestKind::uml);
  EXPECT_EQ(uml->name, "u1");
  EXPECT_EQ(uml->memory_bytes, std::uint64_t{256} << 20);
  EXPECT_EQ(uml->network_devices, std::vector<std::string>{"t0"});
  const auto legacy = hypervisor_of({"linux", "root=/dev/x", "eth0=tuntap,tap9,fe:fd:0:0:0:1",
                                     "eth1=tuntap,,fe:fd:0:0:0:2", "eth2=tuntap,"});
  ASSERT_TRUE(legacy);
  EXPECT_EQ(legacy->network_devices, std::vector<std::string>{"tap9"});
  EXPECT_FALSE(hypervisor_of({"/bin/linux-tool", "--help"}));
  EXPECT_FALSE(hypervisor_of({"vim", "qemu-system-x86_64"}));
  EXPECT_FALSE(hypervisor_of({}));
}

TEST(HypervisorProcess, ThreadsNameVirtualCpus) {
  EXPECT_EQ(virtual_cpu_of("CPU 13/KVM"), 13);
  EXPECT_EQ(virtual_cpu_of("CPU 0/TCG"), 0);
  EXPECT_EQ(virtual_cpu_of("fc_vcpu 2"), 2);
  EXPECT_EQ(virtual_cpu_of("vcpu1"), 1);
  for (const char* none : {"IO mon_iothread", "CPU /KVM", "CPU -1/KVM", "qemu-system-x86", "vcpux", ""})
    EXPECT_FALSE(virtual_cpu_of(none)) << none;
}

meter::ProcessFacts process(int number, int parent, std::string name, std::vector<std::string> arguments,
                            std::string group = "/") {
  meter::ProcessFacts facts;
  facts.number = number;
  facts.parent = parent;
  facts.born_ticks = static_cast<std::uint64_t>(number) * 10;
  facts.name = std::move(name);
  facts.of_kernel = arguments.empty();
  facts.arguments = std::move(arguments);
  facts.groups = {{"", std::move(group)}};
  facts.network_namespace = 1;
  return facts;
}

Facts host() {
  Facts facts;
  const auto add = [&](meter::ProcessFacts one) { facts.processes[one.number] = std::move(one); };
  add(process(1, 0, "systemd", {"/sbin/init"}));
  add(process(2, 0, "kthreadd", {}));
  add(process(5, 2, "ksoftirqd/0", {}));
  add(process(100, 1, "qemu-system-x86", {"qemu-system-x86_64", "-accel", "kvm", "-name", "vm"},
              "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"));
  add(process(101, 2, "vhost-100", {}));
  add(process(110, 1, "linux.uml", {"linux.uml", "umid=u"}));
  add(process(111, 110, "linux.uml", {"linux.uml", "umid=u"}));
  add(process(200, 1, "nginx", {"nginx"}, "/docker/" + hash));
  add(process(201, 200, "nginx", {"nginx"}, "/docker/" + hash));
  add(process(300, 1, "bash", {"bash"}));
  facts.processes[200].network_namespace = facts.processes[201].network_namespace = 9;
  facts.network_namespace = 1;
  facts.own_process = 300;
  facts.given_names[hash] = "web";
  facts.libvirt_guests = {"vm"};
  meter::LinkReading tap, veth;
  tap.index = 7;
  tap.name = "vnet0";
  veth.index = 8;
  veth.name = "veth12";
  veth.other_end_namespace = 4;
  facts.links = {tap, veth};
  facts.taps[7] = 100;
  facts.namespace_numbers[4] = 9;
  return facts;
}

TEST(Inventory, WhoseEverythingIs) {
  const Inventory inventory = make_inventory(host());
  ASSERT_EQ(inventory.guests.size(), 3U);
  EXPECT_EQ(inventory.guests[0].name, "u");
  EXPECT_EQ(inventory.guests[1].name, "vm");
  EXPECT_EQ(inventory.guests[1].found_by, "libvirt");
  EXPECT_EQ(inventory.guests[2].name, "web");
  EXPECT_EQ(inventory.guests[2].found_by, "docker");
  EXPECT_EQ(inventory.of(111, 111).part, Part::own);
  EXPECT_EQ(inventory.of(111, 111).guest, 0U);
  EXPECT_EQ(inventory.of(100, 100).part, Part::helper);
  EXPECT_EQ(inventory.of(101, 101).part, Part::helper);
  EXPECT_EQ(inventory.of(101, 101).guest, 1U);
  EXPECT_EQ(inventory.of(201, 209).guest, 2U);
  EXPECT_EQ(inventory.of(300, 300).part, Part::vtax);
  EXPECT_EQ(inventory.of(1, 1).part, Part::elsewhere);
  EXPECT_EQ(inventory.of(2, 2).part, Part::driver);
  EXPECT_EQ(inventory.of(5, 5).part, Part::softirqs);
  EXPECT_EQ(inventory.of(999, 999).part, Part::elsewhere);
  EXPECT_EQ(*inventory.owners({1, 7}), std::vector<std::size_t>{1});
  EXPECT_EQ(*inventory.owners({1, 8}), std::vector<std::size_t>{2})
      << "the host's end of the container's pair";
  EXPECT_EQ(*inventory.owners({9, 2}), std::vector<std::size_t>{2});
  EXPECT_EQ(inventory.owners({1, 2}), nullptr);
  EXPECT_EQ(inventory.owners({}), nullptr);
}

TEST(Inventory, NamesAreUnique) {
  Facts facts = host();
  facts.processes[210] = process(210, 1, "nginx", {"nginx"}, "/docker/" + other_hash);
  facts.processes[211] = process(211, 1, "x", {"x"}, "/lxc.payload.web");
  facts.given_names[other_hash] = "web";
  std::set<std::string> names, identities;
  const Inventory inventory = make_inventory(facts);
  for (const KnownGuest& guest : inventory.guests) {
    EXPECT_TRUE(names.insert(guest.name).second) << guest.name;
    EXPECT_TRUE(identities.insert(guest.identity).second);
  }
  EXPECT_EQ(names.size(), 5U);
  // Names that look like those that are made of others.
  for (int number = 500; number < 503; ++number)
    facts.processes[number] =
        process(number, 1, "qemu", {"qemu-system-x86_64", "-name", "web (/docker/" + hash + ")"});
  names.clear();
  for (const KnownGuest& guest : make_inventory(facts).guests) EXPECT_TRUE(names.insert(guest.name).second);
  EXPECT_EQ(names.size(), 8U);
}

// A process that says a guest's name and device is believed neither.
TEST(Inventory, AStrangerTakesNeitherNameNorDevice) {
  Facts facts = host();
  meter::LinkReading lo, tap;
  lo.index = 1;
  lo.name = "lo";
  tap.index = 8;
  tap.name = "tap8";
  tap.kind = "tun";
  facts.links = {lo, tap};
  facts.processes[600] =
      process(600, 1, "qemu", {"qemu-system-x86_64", "-name", "mine", "-nic", "tap,ifname=tap8"});
  facts.processes[600].born_ticks = 50;
  facts.taps[8] = 600;
  facts.processes[500] =
      process(500, 1, "qemu",
              {"qemu-system-x86_64", "-name", "mine", "-nic", "tap,ifname=tap8", "-nic", "tap,ifname=lo"});
  facts.processes[500].born_ticks = 90;
  const Inventory inventory = make_inventory(facts);
  std::map<std::string, const KnownGuest*> by_name;
  for (const KnownGuest& guest : inventory.guests) by_name[guest.name] = &guest;
  ASSERT_TRUE(by_name.contains("mine"));
  ASSERT_TRUE(by_name.contains("mine (500)"));
  EXPECT_EQ(by_name["mine"]->id, "600");
  EXPECT_EQ(by_name["mine"]->links, std::vector<std::uint32_t>{8});
  EXPECT_TRUE(by_name["mine (500)"]->links.empty());
}

TEST(Inventory, NamesAreText) {
  Facts facts = host();
  facts.processes[100].arguments.back() = "a\x1b[2J\nb\xff";
  for (const KnownGuest& guest : make_inventory(facts).guests) {
    EXPECT_TRUE(is_text(guest.name));
    EXPECT_EQ(guest.name.find_first_of("\x1b\n"), std::string::npos);
  }
}

TEST(Inventory, OfXen) {
  Facts facts = host();
  facts.domains.emplace();
  (*facts.domains)[3] = {"mail", {1, 2}};
  (*facts.domains)[13] = {"", {3}};
  facts.processes[400] = process(400, 2, "vif3.0-q0-guest", {});
  facts.processes[401] = process(401, 2, "13.xvda-0", {});
  facts.processes[402] = process(402, 1, "qemu-system-i38", {"qemu-system-i386", "-xen-domid", "13"});
  facts.processes[403] = process(403, 1, "xenstored", {"xenstored"});
  meter::LinkReading vif;
  vif.index = 21;
  vif.name = "vif3.0";
  facts.links.push_back(vif);
  facts.interrupts =
      parse_interrupts("           CPU0\n 42:  9  xen-dyn  -event  vif3.0-q0-rx\nNMI: 0 Non-maskable\n");
  const Inventory inventory = make_inventory(facts);
  const auto index = [&](const std::string& name) {
    for (std::size_t i = 0; i < inventory.guests.size(); ++i)
      if (inventory.guests[i].name == name) return i;
    return inventory.guests.size();
  };
  ASSERT_LT(index("mail"), inventory.guests.size());
  ASSERT_LT(index("domain-13"), inventory.guests.size());
  EXPECT_EQ(inventory.of(400, 400).guest, index("mail"));
  EXPECT_EQ(inventory.of(401, 401).guest, index("domain-13"));
  EXPECT_EQ(inventory.of(402, 409).guest, index("domain-13"));
  EXPECT_EQ(inventory.of(403, 403).part, Part::driver);
  EXPECT_EQ(*inventory.owners({1, 21}), std::vector<std::size_t>{index("mail")});
  EXPECT_EQ(inventory.interrupts.at(42), index("mail"));
}

TEST(Inventory, VtaxInAContainerIsNotItsTask) {
  Facts facts = host();
  facts.processes[300].groups = {{"", "/docker/" + hash}};
  const Inventory inventory = make_inventory(facts);
  EXPECT_EQ(inventory.of(300, 300).part, Part::vtax);
  EXPECT_FALSE(inventory.guests[2].group_is_its_own);
}

}  // namespace
}  // namespace vtax::watch
