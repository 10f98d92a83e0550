#include "cli/host_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vtax {
namespace {

using testing::HasSubstr;

// Beside a getent that knows two names.
class HostName : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/vtax-getent-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(folder_ / "getent")
        << "#!/bin/sh\ncase $2 in\n"
           "four.example) printf '192.0.2.7  STREAM four\\n192.0.2.8 DGRAM\\n';;\n"
           "six) printf '2001:db8::7 STREAM six\\n';;\n*) exit 2;;\nesac\n";
    std::filesystem::permissions(folder_ / "getent", std::filesystem::perms::owner_all);
    path_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(HostName, AddressesAreLeftAndNamesLookedUp) {
  EXPECT_EQ(numeric_host("192.0.2.1").value(), "192.0.2.1");
  EXPECT_EQ(numeric_host("localhost").value(), "localhost");
  EXPECT_EQ(numeric_host("four.example").value(), "192.0.2.7");
  EXPECT_EQ(numeric_host("six").value(), "2001:db8::7");
  EXPECT_THAT(numeric_host("seven").error().text(), HasSubstr("its name is not known here"));
  EXPECT_EQ(numeric_host("seven").error().code, ExitCode::usage);
}

// Options of getent, words of a shell, half addresses: none of them is a name.
TEST_F(HostName, WhatCannotBeANameIsRefusedAsAnAddress) {
  for (const char* host : {"", "-s", "a b", "$(id)", "1.2.3", "300.1.1.1", "a/b", "::g"})
    EXPECT_THAT(numeric_host(host).error().text(), HasSubstr("cannot use the address")) << host;
}

TEST_F(HostName, OfAUrlStaysTheHostsName) {
  const auto four = resolve_url("http://four.example:8080/a?b").value();
  EXPECT_EQ(four.url, "http://192.0.2.7:8080/a?b");
  EXPECT_EQ(four.authority, "four.example:8080");
  EXPECT_EQ(resolve_url("http://six").value().url, "http://[2001:db8::7]");
  EXPECT_EQ(resolve_url("http://192.0.2.1/").value().authority, "");
  EXPECT_EQ(resolve_url("http://[::1]:80/x").value().url, "http://[::1]:80/x");
  EXPECT_EQ(resolve_url("ftp://four.example/").value().url, "ftp://four.example/");
  EXPECT_FALSE(resolve_url("http://seven/"));
}

}  // namespace
}  // namespace vtax
