#include "machine/parts/apt_sources.h"

#include <gtest/gtest.h>

namespace vtax::lab {
namespace {

std::string backports(const std::vector<SourcesFile>& files) {
  return sources_for_other_suite(files, "bookworm", "bookworm-backports");
}

TEST(AptSources, TurnsDeb822SourcesOfTheSameSuite) {
  EXPECT_EQ(
      backports({{true,
                  "# a comment\nTypes: deb deb-src\nURIs: http://mirror.example/debian\nSuites: bookworm "
                  "bookworm-updates\nComponents: main contrib\nSigned-By: /usr/share/keyrings/k.gpg\n\n"
                  "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: "
                  "main\n"}}),
      "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n"
      "Signed-By: /usr/share/keyrings/k.gpg\n\n");
}

TEST(AptSources, TurnsOneLineSources) {
  EXPECT_EQ(
      backports(
          {{false,
            "# deb http://off.example/debian bookworm main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main non-free # c\n"
            "deb-src http://mirror.example/debian bookworm main\n"
            "deb http://other.example/tool stable main\n"
            "deb [broken http://x bookworm main\n"}}),
      "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\n"
      "Signed-By: /k.gpg\n\n");
}

TEST(AptSources, KeepsAKeyThatTheSourceItselfContains) {
  const std::string text =
      backports({{true,
                  "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm\nComponents: main\n"
                  "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"}});
  EXPECT_NE(text.find("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"), std::string::npos);
}

TEST(AptSources, LeavesOutSourcesThatAreOffDoubleOrOfOtherSuites) {
  EXPECT_EQ(backports({{true, "Types: deb\nURIs: u\nSuites: bookworm\nComponents: main\nEnabled: no\n"},
                       {true, "Types: deb\nURIs: u\nSuites: bookworm-security\nComponents: main\n"},
                       {true, "Types: deb\nURIs: u\nSuites: bookworm\nComponents: contrib\n"}}),
            "");
  const SourcesFile same = {false, "deb http://m.example/debian bookworm main\n"};
  EXPECT_EQ(backports({same, same}), backports({same}));
}

}  // namespace
}  // namespace vtax::lab
