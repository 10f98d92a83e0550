#include "account/xen_symbols.h"

#include <gtest/gtest.h>

#include "account/compressed_table_for_test.h"

// Compared by hand with nm of the packages' debug images, all text symbols, no difference:
//   Debian 12  xen-hypervisor-4.17-amd64-dbg 4.17.7+13-g2445b30a44-0+deb12u1   4597 of 6883 symbols
//   Debian 13  xen-hypervisor-4.20-amd64-dbg 4.20.3+127-gc42374a105-0+deb13u1  all of 7330 symbols' text
namespace vtax {
namespace {

std::vector<std::uint8_t> xen(const std::vector<std::uint32_t>& offsets) {
  CompressedTableForTest table({"Tpv_hypercall", "Tdo_page_fault", "tdomain.c#idle_loop", "tvmx.c#handle",
                                "tsvm.c#handle", "Dsys_table"});
  table.align(4);
  for (const std::uint32_t offset : offsets) table.u32(offset);
  table.tables(4);
  return table.image();
}

TEST(XenSymbols, ReadsNamesAndAddresses) {
  const auto table =
      read_xen_symbols(xen({0x201000, 0x202000, 0x203000, 0x204000, 0x205000, 0x300000}), "xen");
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->symbols().size(), 6U);
  EXPECT_EQ(table->address_of("pv_hypercall"), GuestAddress(0xffff82d040201000));
  EXPECT_EQ(table->find(GuestAddress(0xffff82d040202fff))->name, "do_page_fault");
  EXPECT_EQ(table->find(GuestAddress(0xffff82d040300000))->type, 'D');
}

TEST(XenSymbols, KeepsTheFileOnlyOfAmbiguousNames) {
  const auto table =
      read_xen_symbols(xen({0x201000, 0x202000, 0x203000, 0x204000, 0x205000, 0x300000}), "xen");
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->address_of("idle_loop"), GuestAddress(0xffff82d040203000));
  EXPECT_EQ(table->address_of("handle"), std::nullopt);
  EXPECT_EQ(table->address_of("svm.c#handle"), GuestAddress(0xffff82d040205000));
}

TEST(XenSymbols, RefusesAddressesThatDoNotAscend) {
  const auto table =
      read_xen_symbols(xen({0x201000, 0x202000, 0x103000, 0x204000, 0x205000, 0x300000}), "xen");
  ASSERT_FALSE(table);
  EXPECT_NE(table.error().why.find("not in a known form"), std::string::npos);
}

TEST(XenSymbols, RefusesTruncatedAndForeignFiles) {
  const auto whole = xen({0x201000, 0x202000, 0x203000, 0x204000, 0x205000, 0x300000});
  for (std::size_t size = 0; size < whole.size() - 500; size += 13)
    ASSERT_FALSE(read_xen_symbols(ByteView(whole).first(size), "xen")) << size;
  EXPECT_NE(read_xen_symbols({}, "empty").error().text().find("truncated"), std::string::npos);
}

}  // namespace
}  // namespace vtax
