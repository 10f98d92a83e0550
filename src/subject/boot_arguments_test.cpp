#include "subject/boot_arguments.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(BootArguments, OfKernelsAndXenAreTaken) {
  for (const char* arguments :
       {"", "mitigations=off", "mitigations=off nosmt=force", "spec-ctrl=no-xen,bti-thunk=jmp", "xpti=false",
        "sched_credit2_migrate_resist=0", "cpufreq=none cpuidle=off", "processor.max_cstate=1",
        "isolcpus=nohz,domain,1-3 rcu_nocbs=1-3", "initcall_debug"})
    EXPECT_EQ(why_not_appended(arguments), "") << arguments;
}

TEST(BootArguments, ThatUndoWhatTheLabSetsAreRefused) {
  for (const char* arguments : {"init=/bin/sh", "rdinit=/x", "INIT=/x", "console=ttyS1",
                                "mitigations=off console=none", "kaslr", "vtax.guests=7", "VTAX.driver=1",
                                "dom0-mem=64M", "dom0_mem=64M", "nr_cpus=1", "initcall-blacklist=x"})
    EXPECT_NE(why_not_appended(arguments).find("set by the lab"), std::string::npos) << arguments;
}

TEST(BootArguments, ThatWouldEndALineOrAValueAreRefused) {
  for (const char* arguments : {"a\"b", "a'b", "a\\b", "a\nb", "a\tb", "a|b", "a$b", "a`b", "a\x01",
                                "\xc3\xa4", "a  b", " a", "a ", "--", "---", "-- init", "=x", "a -- b"})
    EXPECT_NE(why_not_appended(arguments), "") << arguments;
}

TEST(BootArguments, AreOneWordAndBack) {
  for (const char* arguments : {"", "a", "mitigations=off nosmt=force a-b"}) {
    const std::string word = as_one_word(arguments);
    EXPECT_EQ(word.find(' '), std::string::npos);
    EXPECT_EQ(from_one_word(word), arguments);
  }
}

}  // namespace
}  // namespace vtax
