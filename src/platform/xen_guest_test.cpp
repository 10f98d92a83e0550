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

TEST(XlConfig, APathThatWouldBeReadOtherwiseIsRefused) {
  for (const char* path : {"/a\"b/vmlinux", "/a,b/vmlinux", "/a\nb/vmlinux", "/a\\b/vmlinux"}) {
    XenGuest guest = some_guest();
    guest.image.kernel = path;
    EXPECT_FALSE(xl_config(guest, 1, 0)) << path;
  }
}

}  // namespace
}  // namespace vtax
