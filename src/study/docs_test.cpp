#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/readable.h"
#include "study/catalogue.h"
#include "study/study.h"

namespace vtax {
namespace {

std::string table_of(const std::vector<Factor>& factors) {
  std::string out = "| factor | values | default | meaning |\n|---|---|---|---|\n";
  for (const Factor& factor : factors) {
    const std::string fallback =
        factor.type == FactorType::bytes ? readable_bytes(std::stoull(factor.fallback)) : factor.fallback;
    out +=
        fmt::format("| `{}` | {} | {} | {} |\n", factor.name, allowed_values(factor), fallback, factor.help);
  }
  return out;
}

std::string documentation() {
  const std::ifstream in(VTAX_SOURCE_DIR "/docs/study-files.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(StudyFilesDocumentation, HoldsTheCataloguesTables) {
  const std::string text = documentation();
  std::string platforms = "| platform | what it is |\n|---|---|\n";
  for (const PlatformFacts& p : kPlatformTable)
    platforms += fmt::format("| `{}` | {} |\n", p.name, p.summary);
  EXPECT_THAT(text, testing::HasSubstr(platforms));
  EXPECT_THAT(text, testing::HasSubstr(table_of(common_factors())));
  for (const WorkloadKind& workload : workloads()) {
    EXPECT_THAT(text, testing::HasSubstr(fmt::format("### `{}`: {}\n", workload.name, workload.summary)));
    EXPECT_THAT(text, testing::HasSubstr(table_of(workload.factors)));
  }
}

TEST(StudyFilesDocumentation, ItsExampleIsAStudy) {
  const std::string text = documentation();
  const std::size_t start = text.find("```toml\n") + 8;
  const auto study = parse_study(text.substr(start, text.find("```", start) - start), "docs/study-files.md");
  EXPECT_TRUE(study) << study.error().text();
}

}  // namespace
}  // namespace vtax
