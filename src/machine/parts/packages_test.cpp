#include "machine/parts/packages.h"

#include <gmock/gmock.h>

#include "machine/parts/fake_archive_for_test.h"

namespace vtax::lab {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const Result<std::vector<Package>>& packages) {
  std::vector<std::string> out;
  if (!packages) return {packages.error().text()};
  for (const Package& package : *packages) out.push_back(package.name);
  return out;
}

class Packages : public FakeArchive {};

TEST_F(Packages, DebianKernelIsTheOneThatTheMetaPackageNeeds) {
  package("linux-image-amd64", "linux-image-6.1.0-56-amd64 (= 6.1.192-2)");
  package("linux-image-6.1.0-56-amd64", "kmod, linux-base (>= 4.3~), initramfs-tools | linux-initramfs-tool");
  EXPECT_THAT(names(resolve(PackageSet::kernel, Apt())), ElementsAre("linux-image-6.1.0-56-amd64"));
}

TEST_F(Packages, DebiansKernelMayHaveItsImageInAnotherPackage) {
  package("linux-image-amd64", "linux-base-amd64 (= 7.2.12-1), linux-image-7.2.12+deb14-amd64 (= 7.2.12-1)");
  package("linux-image-7.2.12+deb14-amd64",
          "linux-binary-7.2.12+deb14-amd64, linux-modules-7.2.12+deb14-amd64");
  package("linux-base-7.2.12+deb14-amd64");
  package("linux-binary-7.2.12+deb14-amd64");
  package("linux-modules-7.2.12+deb14-amd64");
  EXPECT_THAT(names(resolve(PackageSet::kernel, Apt())),
              ElementsAre("linux-image-7.2.12+deb14-amd64", "linux-base-7.2.12+deb14-amd64",
                          "linux-binary-7.2.12+deb14-amd64", "linux-modules-7.2.12+deb14-amd64"));
}

TEST_F(Packages, UbuntuKernelComesWithBothPackagesOfModules) {
  package("linux-image-generic", "linux-image-6.8.0-31-generic, linux-firmware");
  package("linux-image-6.8.0-31-generic", "kmod, linux-modules-6.8.0-31-generic");
  package("linux-modules-6.8.0-31-generic");
  package("linux-modules-extra-6.8.0-31-generic");
  EXPECT_THAT(names(resolve(PackageSet::kernel, Apt())),
              ElementsAre("linux-image-6.8.0-31-generic", "linux-modules-6.8.0-31-generic",
                          "linux-modules-extra-6.8.0-31-generic"));
}

TEST_F(Packages, HeadsTakeTwoQuestions) {
  package("linux-image-generic", "linux-image-6.8.0-31-generic, linux-firmware", "6.8.0-31.31");
  package("xen-hypervisor-4.9-amd64");
  package("xen-hypervisor-4.17-amd64", "", "4.17.7");
  package("qemu-system-x86", "libpixman-1-0", "7.2");
  const auto heads = heads_of(
      {PackageSet::kernel, PackageSet::xen, PackageSet::vmm, PackageSet::qemu, PackageSet::device_model},
      Apt());
  ASSERT_TRUE(heads) << heads.error().text();
  EXPECT_EQ(heads->at(PackageSet::kernel).name, "linux-image-generic");
  EXPECT_EQ(heads->at(PackageSet::kernel).version, "6.8.0-31.31");
  EXPECT_EQ(heads->at(PackageSet::xen).version, "4.17.7");
  EXPECT_EQ(heads->at(PackageSet::vmm).version, "7.2");
  EXPECT_EQ(heads->at(PackageSet::qemu).version, "7.2");
  EXPECT_FALSE(heads->contains(PackageSet::device_model)) << "apt knows none";
  std::ifstream log(folder / "log");
  int questions = 0;
  for (std::string line; std::getline(log, line);) ++questions;
  EXPECT_EQ(questions, 2);
}

TEST_F(Packages, NewestXenWithTheClosureOfItsLibraries) {
  package("xen-hypervisor-4.9-amd64");
  package("xen-hypervisor-4.17-amd64");
  package("xen-hypervisor-4.17-amd64-dbg");
  package("xen-hypervisor-4.18-i386");
  package("xen-utils-4.17", "libxenmisc4.17 (>= 4.17), python3:any, xen-utils-common");
  package("libxenmisc4.17", "zlib1g (>= 1:1.1.4), libc6");
  package("libc6", "libgcc-s1");
  package("libgcc-s1", "libc6");
  package("zlib1g");
  package("python3");
  EXPECT_THAT(names(resolve(PackageSet::xen, Apt())),
              ElementsAre("libc6", "libgcc-s1", "libxenmisc4.17", "xen-hypervisor-4.17-amd64",
                          "xen-utils-4.17", "zlib1g"));
}

TEST_F(Packages, InstalledLibrariesOfQemuStayOut) {
  for (const char* name : {"qemu-system-common", "qemu-system-data", "seabios", "libslirp0", "libfdt1"})
    package(name);
  package("qemu-system-x86", "libc6, libslirp0, libfdt1");
  std::ofstream(folder / "installed") << "ii \tlibfdt1\nrc \tlibslirp0\n";
  EXPECT_THAT(
      names(resolve(PackageSet::qemu, Apt())),
      ElementsAre("libslirp0", "qemu-system-common", "qemu-system-data", "qemu-system-x86", "seabios"));
}

TEST_F(Packages, TheCompilerComesWithItsOwnHeadersAndNotWithWhatTheyDependOn) {
  package("cpp", "cpp-12 (>= 12.2.0-1~)");
  package("cpp-12", "gcc-12-base, libc6, libisl23");
  package("libisl23", "libc6");
  package("libc6");
  package("libc6-dev", "libc6, linux-libc-dev, libcrypt-dev, rpcsvc-proto");
  package("libcrypt-dev");
  package("linux-libc-dev");
  package("libstb-dev", "libc6");
  package("libgcc-12-dev", "libasan8");
  package("libasan8");
  EXPECT_THAT(names(resolve(PackageSet::compiler, Apt())),
              ElementsAre("cpp", "cpp-12", "libc6", "libc6-dev", "libisl23", "libstb-dev", "linux-libc-dev",
                          "libgcc-12-dev"));
}

TEST_F(Packages, AProgramComesWithWhatItRunsOnAndNotWithWhatInstallsIt) {
  package("redis-server", "redis-tools (= 5:7), adduser, lsb-base (>= 3.2)");
  package("redis-tools",
          "libc6 (>= 2.34), libjemalloc2, init-system-helpers, debconf (>= 0.5) | debconf-2.0");
  package("libjemalloc2", "libc6");
  package("libc6");
  package("libc6-dbg");
  for (const char* tool : {"adduser", "lsb-base", "init-system-helpers", "debconf"}) package(tool);
  const WantedSet set = wanted_programs("redis-server redis-tools");
  EXPECT_THAT(names(set.resolve(Apt())),
              ElementsAre("libc6", "libjemalloc2", "redis-server", "redis-tools", "libc6-dbg"));
  EXPECT_NE(set.name, wanted_programs("redis-server").name);
  EXPECT_EQ(set.told, "redis-server redis-tools");
  const auto unknown = wanted_programs("redis-sever").resolve(Apt());
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().text(), testing::HasSubstr("redis-sever"));
  EXPECT_THAT(unknown.error().next, testing::HasSubstr("is the name right"));
}

TEST_F(Packages, OfAProgramWhatIsNamedWithADashStaysOutWithWhatOnlyItNeeds) {
  package("postgresql-15", "libllvm14, libxml2, libpam0g, libpam-modules");
  package("libllvm14", "libz3-4, libxml2");
  for (const char* name : {"libz3-4", "libxml2", "libpam0g", "libpam-modules"}) package(name);
  EXPECT_THAT(names(wanted_programs("postgresql-15 libllvm14-").resolve(Apt())),
              ElementsAre("libpam0g", "libxml2", "postgresql-15"));
  const auto misspelled = wanted_programs("postgresql-15 libllmv14-").resolve(Apt());
  ASSERT_FALSE(misspelled);
  EXPECT_THAT(misspelled.error().why, testing::HasSubstr("nothing needs libllmv14"));
}

TEST_F(Packages, AProgramComesWithItsFunctionsNamesWhereTheArchiveHasThemOfItsVersion) {
  package("redis-server", "libjemalloc2", "7");
  package("redis-server-dbgsym", "redis-server", "7");
  package("libjemalloc2", "", "5");
  package("libjemalloc2-dbgsym", "", "4");
  EXPECT_THAT(names(wanted_programs("redis-server").resolve(Apt())),
              ElementsAre("libjemalloc2", "redis-server", "redis-server-dbgsym"));
}

TEST_F(Packages, MissingListsSayWhatToDo) {
  for (const PackageSet set : {PackageSet::kernel, PackageSet::xen, PackageSet::qemu}) {
    const auto packages = resolve(set, Apt());
    ASSERT_FALSE(packages);
    EXPECT_EQ(packages.error().code, ExitCode::unavailable);
    EXPECT_NE(packages.error().next.find("apt-get update"), std::string::npos);
  }
}

// apt would keep the version that is installed, which no archive has.
TEST_F(Packages, WhatIsInstalledFromElsewhereIsTheNewestOfAnArchive) {
  package("theirs", "", "2");
  program("apt-cache",
          R"(for n; do [ "$n" != --no-all-versions ] || exec printf 'Package: theirs\nVersion: 3\n\n'; done
printf 'Package: theirs\nVersion: 3\n\n'; cat $FAKE/pool/theirs; echo; sed 's/^Version: 2/Version: 1/' $FAKE/pool/theirs)");
  const auto packages = Apt().show({"theirs"});
  ASSERT_EQ(names(packages), std::vector<std::string>{"theirs"});
  EXPECT_EQ(packages->front().version, "2");
}

TEST(ParsePackages, TakesOnlyWhatAnIndexVouchesFor) {
  const auto packages = parse_packages(
      "Package: here\nStatus: install ok installed\nVersion: 1\n\nPackage: there\nVersion: 2:1.0+b1\nSize: "
      "12\n"
      "SHA256: 248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1\nDescription: x\n Package: "
      "not this\n");
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(packages[0].name, "there");
  EXPECT_EQ(packages[0].version, "2:1.0+b1");
  EXPECT_EQ(packages[0].size_bytes, 12U);
}

}  // namespace
}  // namespace vtax::lab
