#include <gtest/gtest.h>

#include <map>

#include "account/kallsyms.h"
#include "account/xen_symbols.h"
#include "core/files.h"
#include "machine/parts/image_content.h"
#include "machine/parts/kernel_image.h"
#include "machine/parts/package_cache.h"
#include "machine/parts/xen_version.h"

// The distribution's own kernel and Xen, where `vtax lab fetch` has put them into the cache.
namespace vtax::lab {
namespace {

std::filesystem::path file_named(const std::filesystem::path& directory, const std::string& prefix,
                                 const std::string& suffix) {
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(prefix) && name.ends_with(suffix)) return entry.path();
  }
  return {};
}

// Each package by its version, with the number of symbols that a comparison by hand has confirmed (see
// account/kallsyms_test.cpp and xen_symbols_test.cpp).
void expect_recorded_size(const FetchedSet& set, const SymbolTable& symbols) {
  const std::map<std::string, std::size_t> recorded = {
      {"linux-image-6.1.0-56-amd64 6.1.192-2", 94266},
      {"linux-image-6.12.107+deb13-amd64 6.12.107-1", 166692},
      {"xen-hypervisor-4.17-amd64 4.17.7+13-g2445b30a44-0+deb12u1", 6883},
      {"xen-hypervisor-4.20-amd64 4.20.3+127-gc42374a105-0+deb13u1", 7330}};
  for (const Package& package : set.packages) {
    const auto known = recorded.find(package.name + " " + package.version);
    if (known != recorded.end()) {
      EXPECT_EQ(symbols.symbols().size(), known->second) << known->first;
    }
  }
}

class RealImages : public testing::Test {
 protected:
  static std::optional<FetchedSet> cached(PackageSet set) {
    const auto cache = PackageCache::open();
    return cache ? cache->find(set) : std::nullopt;
  }
};

TEST_F(RealImages, KernelBootsBothWaysAndHasItsSymbols) {
  const auto set = cached(PackageSet::kernel);
  if (!set) GTEST_SKIP() << "the cache holds no kernel: run vtax lab fetch";
  const auto bytes = read_file(file_named(set->root / "boot", "vmlinuz-", ""));
  ASSERT_TRUE(bytes) << bytes.error().text();
  const auto kernel = read_kernel(*bytes, "vmlinuz");
  ASSERT_TRUE(kernel) << kernel.error().text();
  EXPECT_TRUE(kernel->pvh);
  EXPECT_TRUE(kernel->xen_pv);
  const auto symbols = read_kallsyms(loaded_part(kernel->vmlinux), "vmlinuz");
  ASSERT_TRUE(symbols) << symbols.error().text();
  for (const char* name : {"entry_SYSCALL_64", "asm_exc_page_fault", "asm_common_interrupt",
                           "xen_entry_SYSCALL_64", "xen_asm_exc_xen_hypervisor_callback", "tcp_sendmsg"})
    EXPECT_TRUE(symbols->address_of(name)) << name;
  expect_recorded_size(*set, *symbols);
}

TEST_F(RealImages, ModulesOfEveryDomainAreThere) {
  const auto set = cached(PackageSet::kernel);
  if (!set) GTEST_SKIP() << "the cache holds no kernel: run vtax lab fetch";
  const auto tree = ModuleTree::open(set->root);
  ASSERT_TRUE(tree) << tree.error().text();
  for (const PlatformId kind : lab_machines()) {
    for (const Domain* domain : {&first_domain(kind), guest_domain(kind)}) {
      if (domain == nullptr) continue;
      const auto modules = tree->closure(domain->modules);
      EXPECT_TRUE(modules) << name_of(kind) << ", " << domain->role << ": " << modules.error().text();
    }
  }
}

TEST_F(RealImages, XenHasItsSymbols) {
  const auto set = cached(PackageSet::xen);
  if (!set) GTEST_SKIP() << "the cache holds no Xen: run vtax lab fetch";
  const auto bytes = read_file(file_named(set->root / "boot", "xen-", "amd64.gz"));
  ASSERT_TRUE(bytes) << bytes.error().text();
  const auto xen = read_xen(*bytes, "xen.gz");
  ASSERT_TRUE(xen) << xen.error().text();
  const auto symbols = read_xen_symbols(*xen, "xen.gz");
  ASSERT_TRUE(symbols) << symbols.error().text();
  for (const char* name : {"lstar_enter", "common_interrupt", "handle_exception", "pv_hypercall", "do_IRQ",
                           "do_page_fault", "context_switch", "idle_loop"})
    EXPECT_TRUE(symbols->address_of(name)) << name;
  expect_recorded_size(*set, *symbols);
}

TEST_F(RealImages, XenSaysItsVersionAndAnotherToolstackIsRefusedWithBoth) {
  const auto set = cached(PackageSet::xen);
  if (!set) GTEST_SKIP() << "the cache holds no Xen: run vtax lab fetch";
  const auto file = file_named(set->root / "boot", "xen-", "amd64.gz");
  const auto bytes = read_file(file);
  ASSERT_TRUE(bytes) << bytes.error().text();
  const auto xen = read_xen(*bytes, "xen.gz");
  ASSERT_TRUE(xen) << xen.error().text();
  const auto version = version_of_xen(*xen, "xen.gz");
  ASSERT_TRUE(version);
  EXPECT_EQ(file.filename().string(), "xen-" + *version + "-amd64.gz");
  EXPECT_TRUE(expect_toolstack(*xen, "xen.gz", set->packages));
  std::vector<Package> others = set->packages;
  std::erase_if(others, [](const Package& package) { return package.name.starts_with("xen-utils-"); });
  EXPECT_TRUE(expect_toolstack(*xen, "xen.gz", others)) << "nothing is known of the toolstack";
  others.push_back({"xen-utils-4.99", "1", "", 0});
  const auto refused = expect_toolstack(*xen, "xen.gz", others);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().why.find("Xen " + *version), std::string::npos);
  EXPECT_NE(refused.error().why.find("Xen 4.99's"), std::string::npos);
  EXPECT_EQ(refused.error().code, ExitCode::usage);
}

TEST_F(RealImages, VmmFindsAllItsLibrariesAndFirmware) {
  const auto set = cached(PackageSet::vmm);
  if (!set) GTEST_SKIP() << "the cache holds no QEMU for KVM: run vtax lab fetch";
  CpioArchive image;
  const auto added = add_vmm(image, set->root);
  EXPECT_TRUE(added) << added.error().text();
}

TEST_F(RealImages, DeviceModelFindsAllItsLibrariesAndFirmware) {
  const auto set = cached(PackageSet::device_model), xen = cached(PackageSet::xen);
  if (!set || !xen) GTEST_SKIP() << "the cache holds no QEMU for Xen: run vtax lab fetch";
  CpioArchive image;
  const auto added = add_device_model(image, set->root, xen->root);
  EXPECT_TRUE(added) << added.error().text();
}

TEST_F(RealImages, ToolstackFindsAllItsLibraries) {
  const auto set = cached(PackageSet::xen);
  if (!set) GTEST_SKIP() << "the cache holds no Xen: run vtax lab fetch";
  CpioArchive image;
  const auto added = add_toolstack(image, set->root);
  EXPECT_TRUE(added) << added.error().text();
}

}  // namespace
}  // namespace vtax::lab
