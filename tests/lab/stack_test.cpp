// What boots: another release's kernel and hypervisor, and arguments of the user's.

#include <gmock/gmock.h>

#include "core/files.h"
#include "machine/parts/release_apt.h"
#include "machine/parts/stack_sources.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

using testing::HasSubstr;
using testing::Not;
using FactorTexts = std::map<std::string, std::string>;

FactorTexts exchange(PlatformId kind, const FactorTexts& more) {
  FactorTexts factors{{"platform", std::string(name_of(kind))},
                      {"workload", "tcp-rr"},
                      {"topology", "inside"},
                      {"transactions", "50"}};
  factors.insert(more.begin(), more.end());
  return factors;
}

Trial trial_with(PlatformId kind, const FactorTexts& more) {
  Trial trial;
  trial.factors = exchange(kind, more);
  const auto machine = machine_of(trial.factors);
  if (!machine) {
    trial.error = machine.error().text();
    return trial;
  }
  const LabMachine& lab = LabBench::get().machine(machine->image, machine->shape);
  if (const auto done = lab.run(trial, [](std::string_view) {}); !done) trial.error = done.error().text();
  return trial;
}

Trial usual_trial(PlatformId kind) {
  return LabBench::get().measured(exchange(kind, {}));
}

class AnotherRelease : public testing::TestWithParam<PlatformId> {
 protected:
  void SetUp() override {
    NEED_LAB(GetParam());
    if (own_release() == nullptr) GTEST_SKIP() << "this computer is no Debian";
    release_ = own_release()->stack == "debian-12" ? "debian-13" : "debian-12";
    const auto cache = PackageCache::open();
    for (const char* set : {".kernel", ".xen"})
      if (!cache || !cache->find(release_ + set))
        GTEST_SKIP() << "another release has not been fetched, which its archive may refuse: --stack "
                     << release_;
  }
  std::string release_;
};

TEST_P(AnotherRelease, BootsItsOwnKernelAndIsCountedTheSameInARerun) {
  const Trial one = trial_with(GetParam(), {{"stack", release_}}),
              again = trial_with(GetParam(), {{"stack", release_}}), usual = usual_trial(GetParam());
  ASSERT_EQ(one.error, "");
  ASSERT_EQ(usual.error, "");
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_NE(one.digest, usual.digest);
  const char* kernel = release_ == "debian-13" ? "linux-image-6.12." : "linux-image-6.1.";
  EXPECT_THAT(one.provenance, HasSubstr(kernel));
  EXPECT_THAT(usual.provenance, Not(HasSubstr(kernel)));
}

INSTANTIATE_TEST_SUITE_P(All, AnotherRelease, testing::Values(PlatformId::native, PlatformId::xen_pv),
                         [](const auto& tested) { return test_name(tested.param); });

std::uint64_t calls_of(const Trial& trial, std::string_view domain, std::string_view function) {
  std::uint64_t calls = 0;
  for (const FunctionCost& cost : trial.functions)
    if (cost.domain == domain && cost.function == function) calls += cost.calls.value_or(0);
  return calls;
}

std::uint64_t events_of(const Trial& trial, std::string_view domain, std::string_view kind) {
  std::uint64_t events = 0;
  for (const LedgerEntry& entry : trial.ledger)
    if (entry.domain == domain && entry.kind == kind) events += entry.value;
  return events;
}

using GuestKernel = AnotherRelease;

// With one kernel's table for both, names and events of the other would be whatever lies at its addresses.
TEST_P(GuestKernel, IsTheGuestsAloneWithItsOwnNamesAndEvents) {
  const FactorTexts apart{{"guest_kernel", release_}};
  const Trial one = trial_with(GetParam(), apart), again = trial_with(GetParam(), apart),
              usual = usual_trial(GetParam());
  ASSERT_EQ(one.error, "");
  ASSERT_EQ(usual.error, "");
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_NE(one.digest, usual.digest);
  const char* version = release_ == "debian-13" ? "6.12." : "6.1.";
  EXPECT_THAT(one.provenance, HasSubstr(std::string("\"guest_kernel_release\":\"") + version));
  EXPECT_THAT(usual.provenance, Not(HasSubstr("guest_kernel_release")));
  for (const char* domain : {"guest1", "Domain-0"}) {
    // An answer each of 50.
    EXPECT_GE(calls_of(one, domain, "tcp_sendmsg"), 50U) << domain;
    EXPECT_EQ(calls_of(one, domain, "tcp_sendmsg"), calls_of(usual, domain, "tcp_sendmsg")) << domain;
    for (const char* event : {"system_calls", "upcalls"}) {
      const auto usually = static_cast<double>(events_of(usual, domain, event));
      EXPECT_GT(usually, 0) << domain << " " << event;
      EXPECT_NEAR(static_cast<double>(events_of(one, domain, event)), usually, usually / 4)
          << domain << " " << event;
    }
    EXPECT_GT(events_of(one, domain, "bytes_copied_user"), 0U) << domain;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GuestKernel, testing::Values(PlatformId::xen_pv),
                         [](const auto& tested) { return test_name(tested.param); });

class OwnTree : public testing::Test {
 protected:
  void SetUp() override {
    NEED_LAB(PlatformId::xen_pv);
    if (own_release() == nullptr) GTEST_SKIP() << "this computer is no Debian";
    release_ = own_release()->stack == "debian-12" ? "debian-13" : "debian-12";
    const auto cache = PackageCache::open();
    kernel_ = cache->find(release_ + ".kernel");
    xen_ = cache->find(release_ + ".xen");
    if (!kernel_ || !xen_) GTEST_SKIP() << "another release has not been fetched: --stack " << release_;
  }

  void lay_out(const std::filesystem::path& tree) const {
    namespace fs = std::filesystem;
    const fs::path local = tree / "usr/local";
    for (const fs::path& folder : {tree / "boot", local / "sbin", local / "lib/xen/bin"})
      fs::create_directories(folder);
    for (const auto& entry : fs::recursive_directory_iterator(xen_->root)) {
      const fs::path& file = entry.path();
      const std::string name = file.filename(), folder = file.parent_path().filename();
      if (entry.is_directory()) continue;
      if (folder == "boot" && file.extension() == ".gz") fs::copy(file, tree / "boot" / name);
      if (folder == "bin" && (name == "xl" || name == "xenstored" || name == "xenconsoled"))
        fs::copy(file, local / "sbin" / name);
      if (folder == "bin" && (name == "xen-init-dom0" || name == "libxl-save-helper"))
        fs::copy(file, local / "lib/xen/bin" / name);
      if ((name.starts_with("libxen") || name.starts_with("libxl")) && name.find(".so.") != std::string::npos)
        fs::copy(file, local / "lib" / name);
    }
  }
  [[nodiscard]] std::string kernel_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(kernel_->root / "boot"))
      if (entry.path().filename().string().starts_with("vmlinuz-")) return entry.path();
    return "";
  }

  std::string release_;
  std::optional<FetchedSet> kernel_, xen_;
};

// What a developer has who built Xen and Linux: files of the other release's packages, laid out as Xen's
// `make dist` does it.
TEST_F(OwnTree, OfHypervisorToolstackAndKernelBootsAndIsCountedTheSameInARerun) {
  const Folder tree;
  lay_out(tree.path());
  const OwnStacks stacks{
      {"mine", {release_, tree.path().string(), kernel_file(), kernel_->root.string(), ""}}};
  Sources sources = sources_of_stack("mine", {}, stacks).value_or(Sources());
  sources.agent = LabBench::get().agent();
  auto cache = PackageCache::open();
  ASSERT_TRUE(cache);
  const auto quiet = [](std::string_view) {};
  auto image = build_lab_image(PlatformId::xen_pv, sources, *cache, Apt(), quiet);
  ASSERT_TRUE(image) << image.error().text();
  MachineShape shape;
  shape.stack = "mine";
  auto machine = LabMachine::prepare(std::move(*image), sources.agent, LabBench::get().qemu(),
                                     LabBench::get().probe(), shape);
  ASSERT_TRUE(machine) << machine.error().text();
  SnapshotStore store(LabBench::get().store());
  const auto booted = (*machine)->boot(store, quiet);
  ASSERT_TRUE(booted) << booted.error().text();
  Trial one, again;
  one.factors = again.factors = exchange(PlatformId::xen_pv, {{"stack", "mine"}});
  for (Trial* trial : {&one, &again}) {
    const auto ran = (*machine)->run(*trial, quiet);
    ASSERT_TRUE(ran) << ran.error().text();
  }
  EXPECT_EQ(one.digest, again.digest);
  EXPECT_THAT(one.provenance, HasSubstr("\"toolstack\""));
  EXPECT_THAT(one.provenance, Not(HasSubstr("xen-utils-"))) << "no package's toolstack was used";
}

// A kernel that checks each object that it allocates and frees executes far more for each exchange.
TEST(Arguments, ReachTheKernelThatTheyAreFor) {
  NEED_LAB(PlatformId::native);
  const Trial usual = usual_trial(PlatformId::native),
              checking = trial_with(PlatformId::native, {{"kernel_args", "slub_debug=FZPU"}}),
              again = trial_with(PlatformId::native, {{"kernel_args", "slub_debug=FZPU"}});
  ASSERT_EQ(usual.error, "");
  ASSERT_EQ(checking.error, "");
  EXPECT_GT(static_cast<double>(checking.machine_total.value),
            1.1 * static_cast<double>(usual.machine_total.value));
  EXPECT_EQ(checking.digest, again.digest);
}

}  // namespace
}  // namespace vtax::lab
