#pragma once

#include "study/toml_plus_plus.h"
#include <optional>
#include <string>

#include "core/result.h"
#include "published/published.h"
#include "study/study_reader.h"

namespace vtax {

// From a parsed TOML table to checked claims.
class PublishedReader {
 public:
  // `what`: the beginning of every error.
  explicit PublishedReader(const std::string& what) : what_(what), study_(what) {}

  [[nodiscard]] Result<Published> read(const toml::table& root);

 private:
  using Factors = std::map<std::string, std::string>;

  [[nodiscard]] Result<Claim> claim_of(const toml::table& table) const;
  [[nodiscard]] Result<> read_figure(const toml::table& table, Claim& claim) const;
  [[nodiscard]] Result<ClaimTest> test_of(const toml::table& table) const;
  [[nodiscard]] Result<> read_percentile(const toml::table& table, bool is_latency, ClaimTest& test) const;
  [[nodiscard]] Result<> read_limits(const toml::table& table, ClaimTest& test) const;
  [[nodiscard]] Result<> read_over(const toml::table& table, ClaimTest& test) const;
  // What the table does not name is as in `base`.
  [[nodiscard]] Result<Operand> operand_of(const toml::node& node, std::string_view key, Operand base) const;
  [[nodiscard]] Result<> check_factors(const toml::node& node, const Operand& operand,
                                       std::string_view over) const;
  [[nodiscard]] Result<std::string> event_of(const toml::table& table) const;
  [[nodiscard]] Result<std::vector<Layer>> layers_of(const toml::node& node) const;

  [[nodiscard]] Result<> check_keys(const toml::table& table,
                                    const std::vector<std::string_view>& allowed) const;
  [[nodiscard]] Result<std::string> text_of(const toml::table& table, std::string_view key,
                                            bool required) const;
  [[nodiscard]] Result<std::string> choice_of(const toml::table& table, std::string_view key,
                                              const std::vector<std::string_view>& allowed) const;
  [[nodiscard]] Result<double> number_of(const toml::node& node, std::string_view key) const;

  [[nodiscard]] tl::unexpected<Error> wrong(const toml::node& at, const std::string& why,
                                            std::string next = "") const {
    return study_.wrong(at.source(), why, std::move(next));
  }

  std::string what_;
  StudyReader study_;  // knows the factors' values
  std::string machine_;
  Operand cells_;  // of the whole file
};

}  // namespace vtax
