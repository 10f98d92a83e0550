#pragma once

#include "study/toml_plus_plus.h"
#include <string>

#include "core/result.h"
#include "study/catalogue.h"
#include "study/study.h"

namespace vtax {

// From a parsed TOML table to a checked study.
class StudyReader {
 public:
  // `what`: the beginning of every error.
  explicit StudyReader(std::string what) : what_(std::move(what)) {}

  // All but `source`.
  [[nodiscard]] Result<Study> read(const toml::table& root) const;

  // One canonical value of the factor.
  [[nodiscard]] Result<std::string> value_of(const toml::node& node, const Factor& factor) const;

  // The same of a factor of any workload, or of `workload` itself, which names one. `others`: what else may
  // stand there, for the error.
  [[nodiscard]] Result<std::string> factor_value(const toml::key& key, const toml::node& node,
                                                 const std::vector<std::string_view>& others = {}) const;

  // An error at a place in the file.
  [[nodiscard]] tl::unexpected<Error> wrong(const toml::source_region& at, const std::string& why,
                                            std::string next) const;

 private:
  [[nodiscard]] Result<> check_root_keys(const toml::table& root) const;
  [[nodiscard]] Result<std::string> text_of(const toml::table& root, std::string_view key, bool required,
                                            std::size_t longest) const;
  [[nodiscard]] Result<std::string> machine_of(const toml::table& root) const;
  [[nodiscard]] Result<std::optional<int>> named_repetitions(const toml::table& root) const;
  [[nodiscard]] Result<bool> terms_of(const toml::table& root) const;
  [[nodiscard]] Result<FactorValues> common_factors_of(const toml::table& root) const;
  [[nodiscard]] Result<std::vector<StudyWorkload>> workloads_of(const toml::table& root) const;
  [[nodiscard]] Result<StudyWorkload> workload_of(const toml::table& table) const;

  [[nodiscard]] Result<FactorValues> values_of(const toml::table& table,
                                               const std::vector<Factor>& factors) const;
  [[nodiscard]] Result<std::vector<std::string>> values_of(const toml::node& node,
                                                           const Factor& factor) const;
  [[nodiscard]] Result<std::string> words_of(const toml::array& list, const Factor& factor) const;
  std::string what_;
};

}  // namespace vtax
