#include <gtest/gtest.h>

#include "account/address_map.h"

namespace vtax {
namespace {

std::string place(const AddressMap& map, std::uint64_t address, const std::string& domain, int cpu) {
  const Place place = map.place_of(GuestAddress(address), domain, cpu);
  return place.image + ": " + place.function;
}

TEST(RunTimeCode, HasTheNamesThatProgramsToldOfTheirOwnDomainAndCpu) {
  AddressMap map;
  map.add_run_time_code("guest1", -1, {{0x7000'1000, {0x7000'1100, "a loop"}}});
  map.add_run_time_code("host", 1, {{0x7000'1000, {0x7000'1100, "another"}}});
  EXPECT_EQ(place(map, 0x7000'10ff, "guest1", 2), "[run time]: a loop");
  EXPECT_EQ(place(map, 0x7000'1000, "host", 1), "[run time]: another");
  EXPECT_EQ(place(map, 0x7000'1000, "host", 0), "program: [0x70001000]");
  EXPECT_EQ(place(map, 0x7000'1100, "guest1", 2), "program: [0x70001000]") << "behind it";
  EXPECT_EQ(place(map, 0x7000'0fff, "guest1", 2), "program: [0x70000000]") << "before it";
}

TEST(RunTimeCode, InAFileIsWhatHasNoSymbolThere) {
  AddressMap map;
  std::vector<Symbol> symbols{{GuestAddress(0x7000'1000), "main", 'T'}, {GuestAddress(0x7000'1100), "", '?'}};
  map.add_program_code({"guest1", -1, GuestAddress(0x7000'0000), GuestAddress(0x7000'2000), "node",
                        std::make_shared<const SymbolTable>(std::move(symbols))});
  map.add_run_time_code("guest1", -1,
                        {{0x7000'1000, {0x7000'1100, "no"}}, {0x7000'1100, {0x7000'1200, "Builtin:Call"}}});
  EXPECT_EQ(place(map, 0x7000'1000, "guest1", 2), "node: main");
  EXPECT_EQ(place(map, 0x7000'1100, "guest1", 2), "node: Builtin:Call");
  EXPECT_EQ(place(map, 0x7000'1200, "guest1", 2), "node: [0x70001000]");
}

}  // namespace
}  // namespace vtax
