#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "record/trial.h"

// Which functions are which term of a paper's cost model: studies/terms, which explains its form.
namespace vtax {

struct Term {
  std::string name;
  std::string says;
  bool grows = false;  // the model has it as a function of the message's size
};

class TermTable {
 public:
  // The terms in the order of their first mention.
  [[nodiscard]] const std::vector<Term>& terms() const { return terms_; }
  [[nodiscard]] const std::string& model() const { return model_; }

  // The place in terms() of the one that takes this function, or terms().size().
  [[nodiscard]] std::size_t term_of(const FunctionCost& cost) const;

  // Errors: usage, with the term and the key.
  [[nodiscard]] static Result<TermTable> parse(std::string_view text, std::string_view shown_name);
  // The table that comes with vtax, of Primet's model.
  [[nodiscard]] static Result<TermTable> built_in();
  [[nodiscard]] static Result<TermTable> read(const std::filesystem::path& file);

 private:
  struct Rule {
    std::size_t term = 0;
    std::vector<std::string> images, functions;
  };

  std::string model_;
  std::vector<Term> terms_;
  std::vector<Rule> rules_;
};

// Whether the text fits a pattern, in which * stands for any characters, or none.
[[nodiscard]] bool fits_pattern(std::string_view text, std::string_view pattern);

}  // namespace vtax
