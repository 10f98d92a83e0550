#include "study/study.h"

#include <fmt/format.h>

#include "core/readable.h"
#include "study/study_reader.h"
#include "study/toml_text.h"

namespace vtax {
namespace {

std::string what_of(std::string_view shown_name) {
  return fmt::format("cannot read study file {}", printable(shown_name, 200));
}

}  // namespace

const std::vector<std::string>& values_of(const Study& study, const StudyWorkload& workload,
                                          const std::string& common_factor) {
  const auto own = workload.common.find(common_factor);
  return own == workload.common.end() ? study.factors.at(common_factor) : own->second;
}

int repetitions_of(const Study& study) {
  constexpr int kOfLab = 5;  // the fewest that give an interval (core/statistics.h)
  return study.repetitions.value_or(study.machine == "lab" ? kOfLab : 1);
}

Result<Study> parse_study(std::string_view text, std::string_view shown_name) {
  const std::string what = what_of(shown_name);
  const auto table =
      parse_toml(text, {what, "a study is a short text file", "docs/study-files.md shows one"});
  if (!table) return fail(table.error());
  auto study = StudyReader(what).read(*table);
  if (study) study->source = text;
  return study;
}

Result<Study> read_study(const std::filesystem::path& file) {
  auto text =
      read_toml_text(file, what_of(file.string()), "`vtax list studies` names those that come with vtax");
  if (!text) return fail(text.error());
  auto study = parse_study(*text, file.string());
  // A path in a file is seen from that file.
  if (study && study->published.ends_with(".toml"))
    study->published = (file.parent_path() / study->published).string();
  return study;
}

}  // namespace vtax
