#include "account/system_map.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

// In the form of a build of Linux.
constexpr const char* kMap =
    "0000000000000000 D __per_cpu_start\n"
    "ffffffff81000000 T _text\n"
    "ffffffff81000040 T startup_64\n"
    "ffffffff810001c0 t verify_cpu\n"
    "ffffffff82000000 D __start_rodata\n";

TEST(SystemMap, NamesTheKernelsFunctions) {
  const auto table = read_system_map(kMap, "System.map");
  ASSERT_TRUE(table) << table.error().text();
  const Symbol* found = table->find(GuestAddress(0xffffffff810001c8));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "verify_cpu");
  EXPECT_TRUE(found->is_text());
  EXPECT_EQ(table->address_of("startup_64"), GuestAddress(0xffffffff81000040));
}

TEST(SystemMap, TakesNamesAsLongAsCompilersMakeThem) {
  const std::string name = "_R" + std::string(300, 'x');
  const auto table = read_system_map("ffffffff81000000 t " + name + "\n", "System.map");
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->address_of(name), GuestAddress(0xffffffff81000000));
}

TEST(SystemMap, OfAnotherFormIsRefusedWithTheLine) {
  for (const char* text :
       {"", "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n",
        "ffffffff81000000 T\n", "ffffffff8100000 T _text\n", "xfffffff81000000 T _text\n",
        "ffffffff81000000 T a b\n", "ffffffff81000000 T a\x01\n", "0000000000000000 T only_low\n",
        "ffffffff82000000 D only_data\n"})
    EXPECT_FALSE(read_system_map(text, "System.map")) << text;
  const auto wrong = read_system_map(std::string(kMap) + "what\n", "System.map");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().why.find("line 6"), std::string::npos);
}

}  // namespace
}  // namespace vtax
