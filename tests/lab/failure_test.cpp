// What goes wrong is said, ends, and leaves nothing behind.

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "machine/lab/emulator.h"
#include "tests/lab/lab_bench.h"

namespace vtax::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Failure : public testing::Test {
 protected:
  // Boots this image into an empty store and gives the error.
  static Error boot(LabImage image) {
    LabBench& bench = LabBench::get();
    auto machine = LabMachine::prepare(std::move(image), bench.agent(), bench.qemu(), bench.probe());
    if (!machine) return machine.error();
    const Folder folder;
    SnapshotStore store(folder.path());
    const auto booted = (*machine)->boot(store, quiet);
    EXPECT_FALSE(booted);
    for (const auto& entry : fs::directory_iterator(folder.path()))
      EXPECT_EQ(entry.path().extension(), ".lock") << entry.path();
    return booted ? Error{} : booted.error();
  }

  static fs::path cut(const fs::path& file, const Folder& folder) {
    fs::path copy = folder.path() / file.filename();
    fs::copy_file(file, copy);
    fs::resize_file(copy, fs::file_size(copy) / 3);
    return copy;
  }

  void TearDown() override { EXPECT_EQ(emulators_left(), 0); }
};

TEST_F(Failure, APanicShowsTheConsolesLastLines) {
  NEED_LAB(PlatformId::native);
  LabImage image = LabBench::get().image(PlatformId::native);
  image.kernel_command_line += " rdinit=/nonexistent";
  const Error error = boot(image);
  EXPECT_EQ(error.code, ExitCode::trial_failed);
  EXPECT_THAT(error.text(), HasSubstr("the machine did not finish"));
  EXPECT_THAT(error.text(), HasSubstr("panicked"));
  EXPECT_THAT(error.text(), HasSubstr("Kernel panic - not syncing"));
}

// Rather than the five seconds that Xen waits, by its own clock, before it would reboot.
TEST_F(Failure, APanicOfDomain0EndsTheMachineAtOnce) {
  NEED_LAB(PlatformId::xen_pv);
  LabImage image = LabBench::get().image(PlatformId::xen_pv);
  image.kernel_command_line += " rdinit=/nonexistent";
  const Error error = boot(image);
  EXPECT_EQ(error.code, ExitCode::trial_failed);
  EXPECT_THAT(error.text(), HasSubstr("Xen or its Domain-0 panicked"));
  EXPECT_THAT(error.text(), HasSubstr("Kernel panic - not syncing"));
  EXPECT_THAT(error.text(), HasSubstr("Hardware Dom0 crashed"));
}

TEST_F(Failure, EachBoundIsNamedWithWhatToDo) {
  NEED_LAB(PlatformId::native);
  const auto expect = [](const Bounds& bounds, const std::string& named) {
    Wiring wiring;
    wiring.probe = LabBench::get().probe();
    wiring.bounds = bounds;
    auto machine = Emulator::start(LabBench::get().machine(PlatformId::native).spec(), wiring);
    ASSERT_TRUE(machine) << machine.error().text();
    const auto message = (*machine)->next_message();
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code, ExitCode::trial_failed);
    EXPECT_THAT(message.error().text(), HasSubstr(named));
    EXPECT_THAT(message.error().text(), HasSubstr("--resume"));
    EXPECT_THAT(message.error().text(), HasSubstr("last lines"));
  };
  expect({.instructions = 20'000'000}, "its bound of 20 million instructions was reached");
  expect({.virtual_time = std::chrono::milliseconds(50)}, "its bound of 0.05 s by its own clock was reached");
  expect({.cpu_time = std::chrono::seconds(1)}, "its bound of 1 s of the emulator's CPU time was reached");
}

TEST_F(Failure, AMachineThatDoesNotAnswerIsSaidAgainAndAgain) {
  NEED_LAB(PlatformId::native);
  Wiring wiring;
  wiring.bounds.cpu_time = std::chrono::seconds(1);
  auto machine = Emulator::start(LabBench::get().machine(PlatformId::native).spec(), wiring);
  ASSERT_TRUE(machine) << machine.error().text();
  std::vector<std::chrono::nanoseconds> told;
  (*machine)->wait_step = std::chrono::milliseconds(300);
  (*machine)->on_wait = [&](const Emulator::Waited& waited) {
    told.push_back(waited.here);
    EXPECT_LE(waited.spent, std::chrono::seconds(2));
    EXPECT_EQ(waited.bound, std::chrono::seconds(1));
  };
  ASSERT_FALSE((*machine)->next_message());
  ASSERT_GE(told.size(), 2U);
  for (std::size_t i = 1; i < told.size(); ++i)
    EXPECT_GE(told[i] - told[i - 1] / (*machine)->wait_step * (*machine)->wait_step, (*machine)->wait_step);
}

// A boot has no probe that looks at the machine's clock.
TEST_F(Failure, ABootEndsAtABoundOfItsOwnClock) {
  NEED_LAB(PlatformId::native);
  MachineSpec spec = LabBench::get().machine(PlatformId::native).spec();
  spec.kernel_arguments +=
      " rdinit=/nowhere root=/dev/nowhere rootwait";  // it waits for ever, and takes no time for it
  Wiring wiring;
  wiring.bounds.virtual_time = std::chrono::seconds(30);
  wiring.bounds.cpu_time = std::chrono::seconds(100);
  auto machine = Emulator::start(spec, wiring);
  ASSERT_TRUE(machine) << machine.error().text();
  (*machine)->clock_step = std::chrono::seconds(3);
  const auto message = (*machine)->next_message();
  ASSERT_FALSE(message);
  EXPECT_THAT(message.error().text(), HasSubstr("its bound of 30 s by its own clock was reached"));
}

// In the place of QEMU: QEMU, which is told to abort after a second; `each_time` or only once.
Qemu dying(const Qemu& real, const fs::path& folder, bool each_time) {
  const fs::path script = folder / "dying-qemu";
  std::ofstream(script) << "#!/bin/bash\n"
                        << (each_time ? "" : "mkdir " + (folder / "died").string() + " 2>/dev/null &&\n")
                        << "(sleep 1; echo 'the stand-in gives up' >&2; kill -ABRT $$) &\n"
                        << "exec " << real.binary.string() << " \"$@\"\n";
  fs::permissions(script, fs::perms::owner_all);
  Qemu qemu = real;
  qemu.binary = script;
  return qemu;
}

// What is said while a machine boots into a store of its own.
std::string said_at_boot(LabMachine& machine, const fs::path& store_folder) {
  SnapshotStore store(store_folder);
  std::string said;
  const auto booted = machine.boot(store, [&](std::string_view step) { said += std::string(step) + "\n"; });
  EXPECT_TRUE(booted) << booted.error().text();
  return said;
}

TEST_F(Failure, ABootThatDiesOfTheEmulatorIsTriedOnceMoreAndSaid) {
  NEED_LAB(PlatformId::native);
  LabBench& bench = LabBench::get();
  const Folder folder;
  const auto machine = LabMachine::prepare(bench.image(PlatformId::native), bench.agent(),
                                           dying(bench.qemu(), folder.path(), false), bench.probe());
  ASSERT_TRUE(machine) << machine.error().text();
  const std::string said = said_at_boot(**machine, folder.path());
  EXPECT_THAT(said, HasSubstr("the emulator of native died, it is booted once more"));
  EXPECT_THAT(said, HasSubstr("the emulator was killed by signal 6 (Aborted)"));
  EXPECT_THAT(said, HasSubstr("the emulator's own words:"));
  EXPECT_THAT(said, HasSubstr("the stand-in gives up"));
  EXPECT_THAT(said, HasSubstr("vtax: signal ABRT in the emulator's thread"));
  EXPECT_THAT(said, HasSubstr("machine's last lines"));
}

TEST_F(Failure, ABootThatDiesTwiceFailsWithTheEmulatorsWords) {
  NEED_LAB(PlatformId::native);
  LabBench& bench = LabBench::get();
  const Folder folder;
  const auto machine = LabMachine::prepare(bench.image(PlatformId::native), bench.agent(),
                                           dying(bench.qemu(), folder.path(), true), bench.probe());
  ASSERT_TRUE(machine) << machine.error().text();
  SnapshotStore store(folder.path());
  const auto booted = (*machine)->boot(store, quiet);
  ASSERT_FALSE(booted);
  EXPECT_EQ(booted.error().code, ExitCode::trial_failed);
  EXPECT_THAT(booted.error().text(), HasSubstr("booting twice"));
  EXPECT_THAT(booted.error().next, HasSubstr("`vtax lab boot native` shows its whole console"));
  EXPECT_THAT(booted.error().text(), HasSubstr("killed by signal 6 (Aborted)"));
  EXPECT_THAT(booted.error().text(), HasSubstr("the stand-in gives up"));
}

TEST_F(Failure, AGuestOfKvmThatStaysSilentIsBootedOnceMoreAndSaid) {
  NEED_LAB(PlatformId::kvm);
  LabBench& bench = LabBench::get();
  const Folder folder;
  Qemu starving = bench.qemu();
  std::ofstream(folder.path() / "real") << starving.binary.string() << "\n";
  starving.binary = folder.path() / "starving-qemu";
  fs::copy_file(VTAX_STARVES_A_GUEST, starving.binary);
  const auto machine =
      LabMachine::prepare(bench.image(PlatformId::kvm), bench.agent(), starving, bench.probe());
  ASSERT_TRUE(machine) << machine.error().text();
  const std::string said = said_at_boot(**machine, folder.path());
  EXPECT_THAT(said, HasSubstr("a guest of kvm stays silent, it is booted once more"));
  EXPECT_THAT(said, HasSubstr("reach the guest's agent: not done within"));
  Trial trial;
  trial.factors = {{"platform", "kvm"},
                   {"topology", "card"},
                   {"workload", "tcp-rr"},
                   {"transactions", "20"},
                   {"warmup_transactions", "10"}};
  const auto done = (*machine)->run(trial, quiet);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(trial.work.transactions, Transactions(20));
}

class DeathOfAGuest : public testing::TestWithParam<PlatformId> {};

// Its memory ends when the work begins. The peer is what is waited for, and it notices nothing.
TEST_P(DeathOfAGuest, IsSaidAtOnceInAnyWorkload) {
  NEED_LAB(GetParam());
  Trial trial;
  trial.factors = {{"platform", std::string(name_of(GetParam()))},
                   {"topology", "card"},
                   {"workload", "tcp-stream"},
                   {"direction", "receive"},
                   {"balloon_mib", "128"},
                   {"bytes", "67108864"},
                   {"write_bytes", "67108864"}};
  const auto done = LabBench::get().machine(GetParam()).run(trial, quiet);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(),
              HasSubstr(GetParam() == PlatformId::kvm ? "guest1: its QEMU has ended: it ended with code 0; "
                                                      : "guest1: its domain has ended: it has crashed; "));
  EXPECT_THAT(done.error().text(), HasSubstr("; Kernel panic - not syncing: "));
}

INSTANTIATE_TEST_SUITE_P(All, DeathOfAGuest, testing::Values(PlatformId::xen_pv, PlatformId::kvm),
                         [](const auto& tested) { return test_name(tested.param); });

TEST_F(Failure, ATruncatedKernelDoesNotBoot) {
  NEED_LAB(PlatformId::native);
  LabImage image = LabBench::get().image(PlatformId::native);
  const Folder folder;
  image.kernel = cut(image.kernel, folder);
  const Error error = boot(image);
  EXPECT_EQ(error.code, ExitCode::trial_failed);
  EXPECT_THAT(error.text(), HasSubstr("last lines"));
}

TEST_F(Failure, ATruncatedImageDoesNotBoot) {
  NEED_LAB(PlatformId::native);
  LabImage image = LabBench::get().image(PlatformId::native);
  const Folder folder;
  image.initrd = cut(image.initrd, folder);
  const Error error = boot(image);
  EXPECT_EQ(error.code, ExitCode::trial_failed);
  EXPECT_THAT(error.text(), HasSubstr("Kernel panic"));
}

TEST_F(Failure, AStoreThatCannotBeWrittenIsNamed) {
  SnapshotStore store("/proc/vtax");
  const auto opened = store.open("key", [](const std::string&) -> Result<> {
    ADD_FAILURE() << "booted for nothing";
    return {};
  });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ExitCode::io);
  EXPECT_THAT(opened.error().text(), HasSubstr("/proc/vtax"));
}

// The plan is the host side's own, but a guest's agent reads it strictly.
TEST_F(Failure, APlanWithAnUnknownKeyIsRefusedByTheGuest) {
  NEED_LAB(PlatformId::native);
  const nlohmann::json plan = {{"version", 1},
                               {"platform", "native"},
                               {"workload", "self-check"},
                               {"work", {{"lops", 1}}},
                               {"time_limit_ns", 60'000'000'000}};
  const auto seen = LabBench::get().machine(PlatformId::native).observe(plan.dump(), quiet);
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ExitCode::trial_failed);
  EXPECT_THAT(seen.error().text(), HasSubstr("'lops'"));
}

}  // namespace
}  // namespace vtax::lab
