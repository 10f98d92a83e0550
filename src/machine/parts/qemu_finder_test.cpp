#include "machine/parts/qemu_finder.h"

#include <gmock/gmock.h>

#include "machine/parts/fake_archive_for_test.h"

namespace vtax::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class QemuFinder : public FakeArchive {
 protected:
  void SetUp() override {
    FakeArchive::SetUp();
    ::unsetenv("VTAX_QEMU");
    // A program of this name that is really installed here must not be found behind the fake one.
    program("qemu-system-x86_64", "echo 'cannot open shared object file' >&2; exit 127");
  }
  void TearDown() override {
    ::unsetenv("VTAX_QEMU");
    FakeArchive::TearDown();
  }
  static std::string help(const std::string& version, bool plugins = true) {
    return "echo 'QEMU emulator version " + version + " (Debian)'\necho 'usage:'\n" +
           (plugins ? "echo '-plugin [file=]<file>'\n" : "");
  }
  [[nodiscard]] PackageCache cache() const { return PackageCache::open(folder / "cache").value(); }
};

TEST_F(QemuFinder, TakesTheInstalledOneIfItServes) {
  program("qemu-system-x86_64", help("8.2.2"));
  const auto qemu = find_qemu(cache());
  ASSERT_TRUE(qemu) << qemu.error().text();
  EXPECT_EQ(qemu->version, (QemuVersion{8, 2}));
  EXPECT_EQ(qemu->banner, "QEMU emulator version 8.2.2 (Debian)");
  EXPECT_TRUE(qemu->arguments.empty());
}

TEST_F(QemuFinder, SaysWhatIsWrongAndHowToGetABetterOne) {
  const struct {
    std::string script;
    const char* says;
  } cases[] = {
      {help("7.2.22"), "it is QEMU 7.2, and the lab needs QEMU 8.2 or later"},
      {help("8.1.9"), "it is QEMU 8.1"},
      {help("10.0.2", false), "without TCG plugins"},
      {"echo hello", "does not say its version"},
      {"echo 'error while loading shared libraries: libslirp.so.0' >&2; exit 127", "libslirp.so.0"},
  };
  for (const auto& test : cases) {
    program("qemu-system-x86_64", test.script);
    const auto qemu = find_qemu(cache());
    ASSERT_FALSE(qemu) << test.says;
    EXPECT_THAT(qemu.error().text(), HasSubstr(test.says));
    EXPECT_THAT(qemu.error().text(), HasSubstr("vtax lab fetch"));
    EXPECT_EQ(qemu.error().code, ExitCode::unavailable);
  }
}

TEST_F(QemuFinder, OwnChoiceIsFinal) {
  program("qemu-system-x86_64", help("10.0.2"));
  program("mine", help("7.2.0"));
  ::setenv("VTAX_QEMU", (folder / "bin" / "mine").c_str(), 1);
  EXPECT_THAT(find_qemu(cache()).error().text(), HasSubstr("VTAX_QEMU"));
  ::setenv("VTAX_QEMU", "/nonexistent/qemu", 1);
  EXPECT_THAT(find_qemu(cache()).error().text(), HasSubstr("/nonexistent/qemu"));
}

TEST_F(QemuFinder, FetchesOneFromTheArchiveAndFindsItAgain) {
  package("qemu-system-x86", "libc6, libslirp0", "1:10.0.13+ds-0+deb13u1");
  for (const char* name : {"qemu-system-common", "qemu-system-data", "seabios", "libslirp0"}) package(name);
  program(
      "dpkg-deb",
      "mkdir -p $3/usr/bin $3/usr/share/qemu $3/usr/lib/x86_64-linux-gnu/qemu; { echo '#!/bin/sh'; echo \"" +
          help("10.0.13") + "\"; } > $3/usr/bin/qemu-system-x86_64; chmod 755 $3/usr/bin/*");
  auto here = cache();
  const auto fetched = fetch_qemu(here, [](std::string_view) {});
  ASSERT_TRUE(fetched) << fetched.error().text();
  const auto root = here.find(PackageSet::qemu)->root;
  EXPECT_EQ(fetched->binary, root / "usr/bin/qemu-system-x86_64");
  EXPECT_THAT(fetched->arguments, ElementsAre("-L", (root / "usr/share/qemu").string()));
  EXPECT_THAT(fetched->environment,
              ElementsAre("LD_LIBRARY_PATH=" + (root / "usr/lib/x86_64-linux-gnu").string(),
                          "QEMU_MODULE_DIR=" + (root / "usr/lib/x86_64-linux-gnu/qemu").string()));
  const int calls_before = calls();
  EXPECT_EQ(find_qemu(here)->binary, fetched->binary);
  EXPECT_TRUE(fetch_qemu(here, [](std::string_view) {}));
  EXPECT_EQ(calls(), calls_before);
}

TEST(QemuVersion, ReadsBannersAndPackageVersions) {
  EXPECT_EQ(parse_qemu_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)"), (QemuVersion{10, 0}));
  EXPECT_EQ(parse_qemu_version("1:7.2+dfsg-7+deb12u18"), (QemuVersion{7, 2}));
  EXPECT_EQ(parse_qemu_version("1:8.2.2+ds-0ubuntu1"), (QemuVersion{8, 2}));
  for (const char* text : {"", "qemu", "1:", "1:x.y", "QEMU emulator version ten"})
    EXPECT_FALSE(parse_qemu_version(text)) << text;
}

}  // namespace
}  // namespace vtax::lab
