#include "core/function_name.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

TEST(FunctionName, HasNoSuffixOfOptimisationAcrossFiles) {
  EXPECT_EQ(without_lto_suffix("tcp_ack"), "tcp_ack");
  EXPECT_EQ(without_lto_suffix("tcp_ack.llvm.4503599627370496"), "tcp_ack");
  EXPECT_EQ(without_lto_suffix("tcp_ack.llvm.1a2b3c.cold"), "tcp_ack.cold");
  EXPECT_EQ(without_lto_suffix("tcp_ack.cold.llvm.77"), "tcp_ack.cold");
  EXPECT_EQ(without_lto_suffix("tcp_ack.lto_priv.0.isra.0"), "tcp_ack.isra.0");
  EXPECT_EQ(without_lto_suffix("tcp_ack.lto_priv.1.llvm.2"), "tcp_ack");
}

TEST(FunctionName, KeepsWhatIsNoSuffix) {
  for (const char* name : {"", ".llvm.1", "tcp.llvm.", "tcp.llvm.1x", "tcp.llvm", "llvm.1", "tcp.lto_priv.a",
                           "tcp_ack.isra.0", "tcp_ack.part.0", "tcp_ack.cold", "file.c#tcp_ack"})
    EXPECT_EQ(without_lto_suffix(name), name);
}

TEST(FunctionName, IsReadWithItsTypes) {
  EXPECT_EQ(readable_function_name("_ZN4vtax3runEi"), "vtax::run(int)");
  EXPECT_EQ(readable_function_name("_ZN4vtax3runEi.llvm.77"), "vtax::run(int)");
  EXPECT_EQ(readable_function_name("tcp_ack.lto_priv.0"), "tcp_ack");
  for (const char* name : {"", "f", "i", "_Z", "_Z?", "tcp_ack"})
    EXPECT_EQ(readable_function_name(name), name);
}

TEST(FunctionName, OfACloneIsTheWholeFunctions) {
  EXPECT_EQ(without_clone_suffix("tcp_ack.isra.0"), "tcp_ack");
  EXPECT_EQ(without_clone_suffix("tcp_ack.constprop.12.isra.3"), "tcp_ack");
  for (const char* name : {"", "7", "tcp_ack", "tcp_ack.part.0", "tcp_ack.cold", "tcp_ack.isra.", "tcp_ack4"})
    EXPECT_EQ(without_clone_suffix(name), name);
}

}  // namespace
}  // namespace vtax
