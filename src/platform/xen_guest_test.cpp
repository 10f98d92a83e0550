#include "platform/xen_guest.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

XenGuest some_guest() {
  return {"pvh", {"/cache/vmlinux", "/cache/initrd.cpio"}, "vtax-77-", "/proc/1/ns/net", "/bin/true"};
}

TEST(XlConfig, AGuestEndsWhateverEndsIt) {
  const auto config = xl_config(some_guest(), 2, 5);
  ASSERT_TRUE(config) << config.error().text();
  for (const char* line :
       {"name=\"vtax-77-2\"\n", "type=\"pvh\"\n", "cpus=\"5\"\n", "on_poweroff=\"destroy\"\n",
        "on_reboot=\"destroy\"\n", "on_crash=\"destroy\"\n", "on_watchdog=\"destroy\"\n"})
    EXPECT_NE(config->find(line), std::string::npos) << line << *config;
  EXPECT_NE(config->find("vtax.guest=2 vtax.alone=60 vtax.lifetime=1200\"\n"), std::string::npos);
}

TEST(XlConfig, AGuestWithAProgramHasMemoryForItAndLivesAsLong) {
  XenGuest guest = some_guest();
  guest.image.initrd = "/proc/77/fd/5";
  guest.image.more_memory_mib = 140;
  guest.lifetime = std::chrono::seconds(5000);
  const auto config = xl_config(guest, 1, 0);
  ASSERT_TRUE(config) << config.error().text();
  for (const char* part : {"\nmemory=332\n", "ramdisk=\"/proc/77/fd/5\"\n", " vtax.lifetime=5000\"\n"})
    EXPECT_NE(config->find(part), std::string::npos) << part << *config;
}

TEST(XlConfig, AnEmulatedMachineHasTheCardThatIsMeasured) {
  XenGuest guest = some_guest();
  guest.type = "hvm";
  const auto emulated = xl_config(guest, 1, 0);
  guest.type = "hvm-pv";
  const auto paravirtual = xl_config(guest, 1, 0);
  ASSERT_TRUE(emulated && paravirtual);
  for (const auto& config : {*emulated, *paravirtual})
    EXPECT_NE(config.find("type=\"hvm\"\n"), std::string::npos) << config;
  EXPECT_NE(emulated->find(",script=/bin/true,model=e1000\"]\n"), std::string::npos) << *emulated;
  EXPECT_NE(emulated->find("xen_platform_pci=0\n"), std::string::npos) << *emulated;
  EXPECT_NE(paravirtual->find(",script=/bin/true,type=vif\"]\n"), std::string::npos) << *paravirtual;
  EXPECT_NE(paravirtual->find("xen_platform_pci=1\n"), std::string::npos) << *paravirtual;
}

TEST(XlConfig, APathThatWouldBeReadOtherwiseIsRefused) {
  for (const char* path : {"/a\"b/vmlinux", "/a,b/vmlinux", "/a\nb/vmlinux", "/a\\b/vmlinux"}) {
    XenGuest guest = some_guest();
    guest.image.kernel = path;
    EXPECT_FALSE(xl_config(guest, 1, 0)) << path;
  }
}

}  // namespace
}  // namespace vtax
