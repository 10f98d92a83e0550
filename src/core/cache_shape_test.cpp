#include "core/cache_shape.h"

#include <gtest/gtest.h>

#include <random>

namespace vtax {
namespace {

TEST(CacheShape, NamesAndTextsMeanTheSame) {
  for (const NamedCaches& named : named_caches()) {
    const auto by_name = read_caches(named.name), by_text = read_caches(named.shapes);
    ASSERT_TRUE(by_name) << named.name;
    ASSERT_TRUE(by_text);
    EXPECT_EQ(*by_name, *by_text);
    EXPECT_EQ(text_of(*by_name), named.shapes);
  }
}

TEST(CacheShape, IsReadWithSpacesAndALine) {
  const auto caches = read_caches("32 KiB/8 + 48 KiB/12 + 1280KiB/20 + 15 MiB/12 + 128");
  ASSERT_TRUE(caches) << caches.error().text();
  EXPECT_EQ(caches->l1d, (CacheShape{48 << 10, 12}));
  EXPECT_EQ(caches->l3, (CacheShape{15 << 20, 12}));
  EXPECT_EQ(caches->line_bytes, 128U);
  EXPECT_EQ(*read_caches(text_of(*caches)), *caches);
}

TEST(CacheShape, WhatIsNoCacheIsRefused) {
  for (const char* text :
       {"", "on", "pentium", "32KiB/8", "32KiB/8+32KiB/8+512KiB/8", "32KiB/8+32KiB/8+512KiB/8+16MiB/0",
        "32KiB/8+32KiB/8+512KiB/8+16MiB/65", "32KiB/8+32KiB/8+512KiB/8+2048MiB/16",
        "100/8+32KiB/8+512KiB/8+16MiB/16", "32KiB/8+32KiB/8+512KiB/8+16MiB/16+48",
        "32KiB/8+32KiB/8+512KiB/8+16MiB/16+64+64", "32KB/8+32KiB/8+512KiB/8+16MiB/16", "0/8+0/8+0/8+0/8",
        "18446744073709551616KiB/8+32KiB/8+512KiB/8+16MiB/16"})
    EXPECT_FALSE(read_caches(text)) << text;
}

TEST(CacheShape, SurvivesNoise) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string text(named_caches()[0].shapes);
    for (int i = 0; i < 3; ++i) text[random() % text.size()] = "0189KMiB/+ x"[random() % 12];
    const auto caches = read_caches(text);
    if (!caches) continue;
    EXPECT_EQ(*read_caches(text_of(*caches)), *caches) << text;
  }
}

}  // namespace
}  // namespace vtax
