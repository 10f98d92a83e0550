#include <gtest/gtest.h>

#include "machine/lab/snapshot_key.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;

TEST(SnapshotKey, IsAboutContentAndNotAboutTheCachesPlace) {
  const auto machine = [](const fs::path& cache, bool xen) {
    MachineSpec spec;
    spec.kernel = cache / "images/x-1/vmlinux";
    spec.initrd = cache / "images/x-1/initrd.cpio";
    if (xen) spec.xen = cache / "images/x-1/xen";
    spec.qemu.banner = "QEMU emulator version 10.0.2";
    spec.qemu.package_folder = cache / "packages/qemu-0123";
    spec.qemu.arguments = {"-L", (cache / "packages/qemu-0123/usr/share/qemu").string()};
    return spec;
  };
  for (const bool xen : {false, true}) {
    const auto here = machine("/home/a/cache", xen);
    EXPECT_EQ(snapshot_key(here, "hash"), snapshot_key(machine("/b", xen), "hash"));
    EXPECT_NE(snapshot_key(here, "hash"), snapshot_key(here, "other"));
    auto other = here;
    other.kernel_arguments += " debug";
    EXPECT_NE(snapshot_key(here, "hash"), snapshot_key(other, "hash"));
    other = here;
    other.qemu.banner = "QEMU emulator version 10.0.3";
    EXPECT_NE(snapshot_key(here, "hash"), snapshot_key(other, "hash"));
    other = here;
    other.qemu.arguments[1] = "/home/a/cache/packages/qemu-4567/usr/share/qemu";
    EXPECT_NE(snapshot_key(here, "hash"), snapshot_key(other, "hash"));
    other = here;  // a QEMU of the user's own: where it lies is all that is known of its firmware
    other.qemu.package_folder.clear();
    EXPECT_NE(snapshot_key(here, "hash"), snapshot_key(other, "hash"));
  }
  EXPECT_NE(snapshot_key(machine("/b", false), "hash"), snapshot_key(machine("/b", true), "hash"));
}

}  // namespace
}  // namespace vtax::lab
