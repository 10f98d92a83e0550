#include "account/symbol_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vtax {
namespace {

Symbol at(std::uint64_t address, const char* name, char type = 'T') {
  return {GuestAddress(address), name, type};
}

std::string name_at(const SymbolTable& table, std::uint64_t address) {
  const Symbol* symbol = table.find(GuestAddress(address));
  return symbol == nullptr ? "(none)" : symbol->name;
}

TEST(SymbolTable, CoversUpToTheNextSymbol) {
  const SymbolTable table({at(0x2000, "second"), at(0x1000, "first")});
  EXPECT_EQ(name_at(table, 0xfff), "(none)");
  EXPECT_EQ(name_at(table, 0x1000), "first");
  EXPECT_EQ(name_at(table, 0x1fff), "first");
  EXPECT_EQ(name_at(table, 0x2000), "second");
}

TEST(SymbolTable, LastSymbolEndsAfterAPage) {
  const SymbolTable table({at(0x2000, "last")});
  EXPECT_EQ(name_at(table, 0x2fff), "last");
  EXPECT_EQ(name_at(table, 0x3000), "(none)");
  EXPECT_EQ(name_at(SymbolTable(), 0x3000), "(none)");
}

TEST(SymbolTable, ChoosesOneOfSeveralNames) {
  struct Case {
    const char* why;
    std::vector<Symbol> aliases;
    const char* chosen;
  };
  const std::vector<Case> cases = {
      {"text before data", {at(16, "a_table", 'D'), at(16, "run", 't')}, "run"},
      {"strong before weak", {at(16, "a", 'W'), at(16, "longer_name", 'T')}, "longer_name"},
      {"functions before marks",
       {at(16, "_stext"), at(16, "__cpuidle_text_start"), at(16, "default_idle_call")},
       "default_idle_call"},
      {"fewer underscores",
       {at(16, "__x64_sys_read"), at(16, "ksys_read_of_something")},
       "ksys_read_of_something"},
      {"global before local", {at(16, "aa", 't'), at(16, "bbbb", 'T')}, "bbbb"},
      {"shorter", {at(16, "memcpy_orig"), at(16, "memcpy")}, "memcpy"},
      {"by name", {at(16, "b"), at(16, "a")}, "a"},
  };
  for (const Case& test : cases) {
    auto aliases = test.aliases;
    EXPECT_EQ(name_at(SymbolTable(aliases), 16), test.chosen) << test.why;
    std::reverse(aliases.begin(), aliases.end());
    EXPECT_EQ(name_at(SymbolTable(aliases), 16), test.chosen) << test.why << ", reversed";
  }
}

TEST(SymbolTable, AFunctionOfAnLtoBuildHasTheNameOfItsSource) {
  const SymbolTable table({at(0x10, "tcp_ack.llvm.4503599627370496", 't'), at(0x20, "tcp_push", 't')});
  EXPECT_EQ(name_at(table, 0x18), "tcp_ack");
  EXPECT_EQ(table.address_of("tcp_ack"), GuestAddress(0x10));
}

TEST(SymbolTable, AddressOfPrefersTextThenTheLowest) {
  const SymbolTable table({at(0x10, "run", 'D'), at(0x30, "run"), at(0x20, "run"), at(0x40, "rune")});
  EXPECT_EQ(table.address_of("run"), GuestAddress(0x20));
  EXPECT_EQ(table.address_of("ru"), std::nullopt);
}

}  // namespace
}  // namespace vtax
