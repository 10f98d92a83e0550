#include "machine/guest_result.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "core/noise_for_test.h"

namespace vtax::lab {
namespace {

constexpr const char* kGood = R"({"window_virtual_ns": 118230112,
 "work": {"bytes": 8388608, "packets": 8712, "transactions": 0},
 "devices": [{"side": "system", "domain": "guest1", "device": "eth0",
              "received": 2904, "sent": 5808, "received_bytes": 191664, "sent_bytes": 8774912}],
 "modules": [{"domain": "Domain-0", "module": "xen_netback", "section": ".text", "address": "0xffffffffc0123000"}]})";

TEST(GuestResult, ReadsTheDocumentedForm) {
  const auto result = read_guest_result(kGood);
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->work.bytes, Bytes(8388608));
  EXPECT_FALSE(result->tsc_ticks);
  ASSERT_EQ(result->devices.size(), 1U);
  EXPECT_EQ(result->devices[0].sent, Packets(5808));
  EXPECT_EQ(result->modules.at({"Domain-0", "xen_netback"}).at(".text"), GuestAddress(0xffffffffc0123000));
}

// Of modules that clang built with LTO: a section for each function, with its name.
TEST(GuestResult, MayHoldThousandsOfSections) {
  nlohmann::json message = nlohmann::json::parse(kGood);
  const nlohmann::json one = message["modules"][0];
  const auto with_section = [&](const std::string& name) {
    message["modules"].push_back(one);
    message["modules"].back()["section"] = name;
    return guest_result_from(message);
  };
  for (int i = 0; i < 4000; ++i) {
    message["modules"].push_back(one);
    message["modules"].back()["section"] = ".text.f" + std::to_string(i);
  }
  const auto many = with_section(".text." + std::string(120, 'f'));
  ASSERT_TRUE(many) << many.error().text();
  EXPECT_EQ(many->modules.at({"Domain-0", "xen_netback"}).size(), 4002U);
  EXPECT_FALSE(with_section(".text." + std::string(600, 'f')));
  message["modules"] = std::vector<nlohmann::json>(9000, one);
  EXPECT_FALSE(guest_result_from(message));
}

TEST(GuestResult, MayHoldTheSelfChecksClock) {
  const std::string good = kGood;
  const auto result = read_guest_result("{\"tsc_ticks\": 12," + good.substr(1));
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->tsc_ticks, 12U);
  EXPECT_FALSE(read_guest_result("{\"tsc_ticks\": -1," + good.substr(1)));
}

TEST(GuestResult, MayHoldTheWorkOfEachGuest) {
  const std::string good = kGood;
  const std::string guest = R"({"guest": "guest2", "bytes": 5, "transactions": 6, "virtual_ns": 7})";
  const auto result = read_guest_result("{\"guests\": [" + guest + "]," + good.substr(1));
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->guests, (std::vector<GuestWork>{{"guest2", Bytes(5), Transactions(6), 7}}));
  for (const char* bad :
       {"7", "[7]", "[{}]", R"([{"guest": "g", "bytes": -1, "transactions": 0, "virtual_ns": 1}])"})
    EXPECT_FALSE(read_guest_result("{\"guests\": " + std::string(bad) + "," + good.substr(1))) << bad;
}

TEST(GuestResult, MayHoldWhatAProgramMadeWhileItRan) {
  const std::string good = kGood;
  const auto read = [&](const std::string& code) {
    return read_guest_result(R"({"run_time": [)" + code + "]," + good.substr(1));
  };
  const std::string made =
      R"({"domain": "guest1", "cpu": -1, "functions": "1000 10 a loop\n\u001bnonsense\n2000 20 other\n", "left_out": 3})";
  const auto result = read(made);
  ASSERT_TRUE(result) << result.error().text();
  ASSERT_EQ(result->run_time.size(), 1U);
  EXPECT_EQ(result->run_time[0].domain, "guest1");
  EXPECT_EQ(result->run_time[0].left_out, 3U);
  ASSERT_EQ(result->run_time[0].functions.size(), 2U);
  EXPECT_EQ(result->run_time[0].functions.at(0x1000).name, "a loop");
  for (const char* bad :
       {"7", R"({"domain": "", "cpu": 0, "left_out": 0})",
        R"({"domain": "", "cpu": 0, "functions": 7, "left_out": 0})",
        R"({"domain": "", "functions": "", "left_out": 0})", R"({"domain": "", "cpu": 0, "functions": ""})",
        R"({"domain": "", "cpu": 0, "functions": "", "left_out": -1})"})
    EXPECT_FALSE(read(bad)) << bad;
}

TEST(GuestResult, MayHoldTheCodeOfAProgramAndWhatItPrinted) {
  const std::string good = kGood;
  const auto read = [&](const std::string& code) {
    return read_guest_result(R"({"output": "a\u001bb\n", "mapped": [)" + code + "]," + good.substr(1));
  };
  const std::string library =
      R"({"domain": "", "cpu": 2, "file": "/usr/lib/libc.so.6", "called": "", "begin": "0x7f00", "end": "0x8f00", "offset": "0x28000"})";
  const auto result = read(
      library +
      R"(, {"domain": "guest1", "cpu": -1, "file": "/bin/a b", "called": "ab", "begin": "0x1", "end": "0x2",
                                      "offset": "0x0"})");
  ASSERT_TRUE(result) << result.error().text();
  ASSERT_EQ(result->program.size(), 2U);
  EXPECT_EQ(result->program[0].cpu, 2);
  EXPECT_EQ(result->program[0].file, "/usr/lib/libc.so.6");
  EXPECT_EQ(result->program[0].end, GuestAddress(0x8f00));
  EXPECT_EQ(result->program[1].cpu, std::nullopt);
  EXPECT_EQ(result->program[1].called, "ab");
  EXPECT_EQ(result->output, "ab\n");
  for (const auto& [from, to] :
       {std::pair{"/usr/lib/libc.so.6", "/../../../etc/shadow"}, std::pair{"/usr/lib/libc.so.6", "/usr/.."},
        std::pair{"/usr/lib/libc.so.6", "libc.so.6"}, std::pair{R"("cpu": 2)", R"("cpu": 64)"},
        std::pair{R"("cpu": 2)", R"("cpu": "2")"}, std::pair{"0x7f00", "32512"}}) {
    std::string bad = library;
    bad.replace(bad.find(from), std::string(from).size(), to);
    EXPECT_FALSE(read(bad)) << to;
  }
  EXPECT_FALSE(read("7"));
}

TEST(GuestResult, RefusesWhatIsMissingOrWrong) {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = kGood;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{"), changed("8388608", "-1"),
        changed("8388608", "1.5"), changed("8388608", "99999999999999999999999"),
        changed("\"work\"", "\"werk\""), changed("\"eth0\"", "\"\""), changed("\"eth0\"", "\"e\\u0000h\""),
        changed("\"eth0\"", "7"), changed("0xffffffffc0123000", "c0123000"),
        changed("0xffffffffc0123000", "0x"), changed("0xffffffffc0123000", "0xfffffffffc0123000ff"),
        changed("118230112", "null")})
    EXPECT_FALSE(read_guest_result(bad)) << bad;
}

TEST(GuestResult, NoiseThatIsTakenKeepsItsBounds) {
  std::mt19937_64 random(5);
  const auto is_name = [](const std::string& text) {
    return !text.empty() && text.size() <= 256 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  };
  int taken = 0, refused = 0;
  for (int round = 0; round < 5000; ++round) {
    const std::string text = with_noise(kGood, random);
    EXPECT_FALSE(read_guest_error(text).what.empty());
    const auto result = read_guest_result(text);
    ++(result ? taken : refused);
    if (!result) continue;
    for (const DeviceCount& device : result->devices) {
      EXPECT_TRUE(is_name(device.side) && is_name(device.domain) && is_name(device.device)) << text;
    }
    for (const auto& [domain_and_module, sections] : result->modules)
      EXPECT_TRUE(is_name(domain_and_module.first) && is_name(domain_and_module.second)) << text;
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, 0);
}

TEST(GuestError, KeepsOnlyPrintableText) {
  const Error error = read_guest_error(R"({"what": "cannot connect\u001b[2J", "why": "timed out"})");
  EXPECT_EQ(error.what, "inside the machine: cannot connect[2J");
  EXPECT_EQ(error.why, "timed out");
  EXPECT_EQ(read_guest_error("garbage").code, ExitCode::trial_failed);
}

}  // namespace
}  // namespace vtax::lab
