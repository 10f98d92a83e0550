#include "query/phrase.h"

#include <gtest/gtest.h>

#include "subject/factor_table.h"

namespace vtax {
namespace {

TEST(IsUsual, KnowsTheCataloguesDefaultsOfPlacement) {
  for (const Factor& factor : common_factors()) {
    const std::string name(factor.name);
    const bool always_told = name == "platform" || name == "topology" || name == "offloads";
    EXPECT_EQ(is_usual(name, std::string(factor.fallback)), !always_told) << name;
    EXPECT_FALSE(is_usual(name, "7")) << name;
  }
}

TEST(Phrase, TellsWhatIsNotAsUsual) {
  const Factors factors{{"workload", "tcp-stream"}, {"platform", "xen-pv"},
                        {"direction", "send"},      {"guests", "4"},
                        {"guest_cpu", "together"},  {"peer_window", "65536"},
                        {"system_window", "0"},     {"softload_percent", "90"},
                        {"scheduler", "credit2"},   {"link_mbps", "100"}};
  std::set<std::string> all;
  for (const auto& [name, value] : factors) all.insert(name);
  EXPECT_EQ(
      full_phrase(factors, all),
      "tcp-stream, sending, guest cpu together, 4 guests, link 100 Mb/s, peer window 64 KiB, softload 90 %");
}

}  // namespace
}  // namespace vtax
