#include "agent/kernel_modules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace vtax::agent {
namespace {

namespace fs = std::filesystem;

class SysModule : public ::testing::Test {
 protected:
  SysModule() : root_(fs::temp_directory_path() / ("vtax_sys_module_" + std::to_string(getpid()))) {}
  ~SysModule() override { fs::remove_all(root_); }
  void add(const std::string& module, const std::string& section, const std::string& address) {
    fs::create_directories(root_ / module / "sections");
    std::ofstream(root_ / module / "sections" / section) << address << "\n";
  }
  fs::path root_;
};

TEST_F(SysModule, CodeSectionsOnlyAndSorted) {
  add("xen_netback", ".text", "0xffffffffc0123000");
  add("bridge", ".text.unlikely", "0xffffffffc0456000");
  add("bridge", ".text", "0xffffffffc0455000");
  add("kvm_amd", ".noinstr.text", "0xffffffffc0459000");
  add("bridge", ".init.text", "0xffffffffc0457000");
  add("bridge", ".data", "0xffffffffc0458000");
  fs::create_directories(root_ / "builtin" / "parameters");
  const auto sections = module_sections("Domain-0", root_);
  ASSERT_EQ(sections.size(), 4U);
  EXPECT_EQ(sections[0].module + sections[0].section, "bridge.text");
  EXPECT_EQ(sections[1].module + sections[1].section, "bridge.text.unlikely");
  EXPECT_EQ(sections[2].module + sections[2].section, "kvm_amd.noinstr.text");
  EXPECT_EQ(sections[3].address, "0xffffffffc0123000");
  EXPECT_EQ(sections[3].domain, "Domain-0");
}

TEST_F(SysModule, AGuestsListIsCheckedAndItsDomainIsOurs) {
  add("xen_netfront", ".text", "0xffffffffc0000000");
  nlohmann::json json{{"modules", to_json(module_sections("Domain-0", root_))}};
  const auto read = sections_from(JsonFields("x", json), "guest1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at(0).domain, "guest1");

  json["modules"][0]["section"] = ".text." + std::string(120, 'f');
  EXPECT_TRUE(sections_from(JsonFields("x", json), "guest1"));
  json["modules"][0]["section"] = ".text." + std::string(600, 'f');
  EXPECT_FALSE(sections_from(JsonFields("x", json), "guest1"));
  json["modules"][0]["section"] = ".text";

  for (const char* address : {"", "0x", "4096", "0xfffffffffffffffff", "0xgg"}) {
    json["modules"][0]["address"] = address;
    EXPECT_FALSE(sections_from(JsonFields("x", json), "guest1")) << address;
  }
  EXPECT_FALSE(sections_from(JsonFields("x", {{"modules", {1, 2}}}), "guest1"));
  EXPECT_FALSE(sections_from(JsonFields("x", {{"modules", std::vector<int>(5000)}}), "guest1"));
}

TEST(KernelModules, AMissingListSaysWhichFile) {
  EXPECT_NE(load_modules("/nonexistent/modules").error().text().find("/nonexistent/modules"),
            std::string::npos);
}

}  // namespace
}  // namespace vtax::agent
