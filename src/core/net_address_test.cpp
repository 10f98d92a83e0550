#include "core/net_address.h"

#include <gtest/gtest.h>

#include <random>

namespace vtax {
namespace {

std::string address_text(std::string_view host) {
  const auto address = NetAddress::parse(host, 80);
  return address ? address->text() : "";
}

TEST(NetAddress, EveryWayToWriteAHost) {
  EXPECT_EQ(address_text("192.0.2.7"), "192.0.2.7:80");
  EXPECT_EQ(address_text("localhost"), "127.0.0.1:80");
  EXPECT_EQ(address_text("::1"), "[::1]:80");
  EXPECT_EQ(address_text("[::1]"), "[::1]:80");
  EXPECT_EQ(address_text("2001:DB8::7"), "[2001:db8::7]:80");
  EXPECT_EQ(address_text("fe80::1%lo"), "[fe80::1%lo]:80");
  EXPECT_EQ(address_text("fe80::1%1"), "[fe80::1%lo]:80");
  EXPECT_EQ(address_text("[fe80::1%25lo]"), "[fe80::1%lo]:80");
  EXPECT_EQ(address_text("[fe80::1%lo]"), "[fe80::1%lo]:80");
}

TEST(NetAddress, WhatIsNoneSaysWhatToDo) {
  const auto next = [](std::string_view host) { return NetAddress::parse(host, 80).error().next; };
  EXPECT_NE(next("example.org").find("getent hosts"), std::string::npos);
  EXPECT_NE(next("fe80::1").find("%eth0"), std::string::npos);
  EXPECT_NE(next("fe80::1%no-such-device").find("ip link"), std::string::npos);
  for (const char* host :
       {"", "[", "[]", "[::1", "[127.0.0.1]", "[localhost]", "fe80::1%", "1.2.3", "1.2.3.4.5"})
    EXPECT_EQ(address_text(host), "") << host;
  EXPECT_EQ(NetAddress::parse("\x1b[2J", 80).error().text().find('\x1b'), std::string::npos);
}

TEST(NetAddress, ItsTextIsReadBack) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string host;
    for (std::uint64_t n = random() % 24; n > 0; --n) host += "0123456789abcdef:.%[]lo25"[random() % 25];
    const auto address = NetAddress::parse(host, static_cast<std::uint16_t>(random()));
    if (!address) continue;
    const auto again = NetAddress::parse(address->host(), address->port());
    ASSERT_TRUE(again) << host;
    ASSERT_EQ(again->text(), address->text()) << host;
    ASSERT_TRUE(again->same_host(*address)) << host;
  }
}

}  // namespace
}  // namespace vtax
