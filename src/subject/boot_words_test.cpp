#include "subject/boot_words.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(BootWords, SayTheUsualShapeByNothing) {
  EXPECT_EQ(boot_words(MachineShape()), "");
  const auto read = shape_from_words("console=hvc0 quiet vtax.guest=3 panic=-1");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, MachineShape());
}

TEST(BootWords, AreReadAsTheyAreWritten) {
  MachineShape shape;
  shape.guests = 3;
  shape.driver_cpus = 2;
  shape.driver_domains = 2;
  shape.guest_memory_mib = 256;
  shape.guest_args = "mitigations=off nosmt";
  const auto read = shape_from_words("quiet" + boot_words(shape) + "\n");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, shape);
}

TEST(BootWords, RefuseWhatTheFactorCannotBe) {
  for (const char* word : {"vtax.guests=0", "vtax.guests=8", "vtax.guests=", "vtax.guests=two",
                           "vtax.guest_args=init=/x", "vtax.guest_args=a|init=/x"})
    EXPECT_FALSE(shape_from_words(word)) << word;
}

}  // namespace
}  // namespace vtax
