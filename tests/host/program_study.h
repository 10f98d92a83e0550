#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

// What the tests of programs of the user's on this computer share: studies of them, run by the built vtax.
namespace vtax {

// Some hundred milliseconds of a shell's time; it starts nothing.
inline constexpr const char* kCount = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";
// With it a shell marks its window.
inline constexpr const char* kMark = "mark() { echo $1 >&3; read answer <&3; }; ";
inline constexpr const char* kMarks = "window = \"marks\"\n";

class HostProgram : public testing::Test {
 protected:
  // A folder that everybody may read and write, with this computer's dash and what it needs as a program's
  // files. Afterwards nothing may be left that was not there before.
  void SetUp() override;
  void TearDown() override;

  // Skips the test where that package is not in the cache: no test fetches.
  static void need_busybox();

  void write_study(const std::string& texts, const std::string& platforms = "\"native\"") const;

  // Of a shell alone.
  void write_client(const std::string& script, const std::string& more = "",
                    const std::string& platforms = "\"native\"") const;

  // Its trials; what went wrong is in each of them.
  [[nodiscard]] nlohmann::json trials(const std::string& prefix = "", const std::string& options = "") const;

  // Of a shell's script, natively and in a container.
  [[nodiscard]] nlohmann::json trials_of(const std::string& script, const std::string& more = "",
                                         const std::string& options = "") const;

  [[nodiscard]] nlohmann::json trial(const std::string& prefix = "") const;

  [[nodiscard]] std::string output_of(const std::string& script, const std::string& more = "",
                                      const std::string& prefix = "") const;

  [[nodiscard]] std::string error_of(const std::string& script, const std::string& more = "",
                                     const std::string& prefix = "") const;

  std::filesystem::path folder_;
  std::set<std::string> before_;
};

struct Bounds {
  double low = 0, high = 0;
};

// Measures both in turn until `second` has so many times the program's time of `first` on each platform, in
// five rounds at the most: a neighbour may keep a CPU for seconds.
void expect_times(const Bounds& times, const std::function<nlohmann::json()>& first,
                  const std::function<nlohmann::json()>& second);

}  // namespace vtax
