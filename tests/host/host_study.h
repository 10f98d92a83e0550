#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/program.h"

// What the tests of studies on this computer share: how they run one, and what each of its trials has to
// hold.
namespace vtax {

// Skips the test where the platform cannot run here; packages are fetched by hand, not by a test.
void need_platform(const std::string& platform);

class Host : public testing::Test {
 protected:
  Host();
  ~Host() override { std::filesystem::remove_all(folder_); }

  // The arguments of `vtax run`; once each, where nothing else is asked for.
  [[nodiscard]] static std::string study(const std::string& platforms, const std::string& more);

  // In the test's folder.
  [[nodiscard]] ProgramResult run(const std::string& arguments) const;

  std::filesystem::path folder_;
};

// Of a trial's CPU time, ns: of a layer and a domain, or of all ("").
[[nodiscard]] std::uint64_t host_time(const nlohmann::json& trial, const std::string& layer,
                                      const std::string& domain = "");

// Its ledger adds up to the time of all CPUs, and it has counters or says why not.
void expect_balance(const nlohmann::json& trial);

// Its slices add up to its ledger: the timeline's layers, coarser or not.
void expect_course(const nlohmann::json& trial);

[[nodiscard]] std::uint64_t sum_of(const nlohmann::json& column);

}  // namespace vtax
