#include "query/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/readable.h"
#include "core/text_table.h"
#include "query/phrase.h"
#include "query/profile_stack.h"

namespace vtax {
namespace {

// A name as one word of a line format: none of its separators, no control characters.
std::string word(std::string_view text) {
  std::string out = printable(text, 1000);
  std::replace(out.begin(), out.end(), ';', ':');
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

std::string title_of(const Factors& factors) {
  std::set<std::string> all;
  for (const auto& [name, value] : factors) all.insert(name);
  return printable(factors.at("platform")) + ", " + full_phrase(factors, all);
}

}  // namespace

Result<Profile> read_profile(RunReader& reader, std::optional<std::uint64_t> wanted) {
  const std::string what = "cannot make a profile";
  Profile profile;
  profile.study = reader.header().study;
  std::map<FunctionCost, std::uint64_t> sums;  // by everything but the count
  Factors factors;
  std::string refusal;
  auto read = reader.for_each(RunReader::Detail::all, [&](const Trial& trial) {
    if (wanted && number_of(trial.index) != *wanted) return Result<>();
    if (!trial.error.empty()) {
      if (wanted) refusal = "the trial failed: " + printable(trial.error, 200);
      return Result<>();
    }
    if (profile.trials > 0 && trial.factors != factors) {
      refusal = "the run's trials differ in their factors; their sum would mean nothing";
      return Result<>(fail(
          {what, refusal, "name one of them by --trial N; `vtax report RUN --format trials` lists them"}));
    }
    factors = trial.factors;
    ++profile.trials;
    profile.total += trial.machine_total.value;
    for (FunctionCost cost : trial.functions) {
      const std::uint64_t count = std::exchange(cost.instructions, Instructions()).value;
      cost.calls.reset();
      sums[std::move(cost)] += count;
    }
    return Result<>();
  });
  if (!read) return fail(read.error());
  if (!refusal.empty()) return fail({what, refusal, ""});
  if (profile.trials == 0) {
    return fail({what, wanted ? fmt::format("the run holds no trial {}", *wanted) : "no trial ended",
                 "`vtax report RUN --format trials` lists those it holds"});
  }
  if (sums.empty())
    return fail({what, "no functions were recorded", "the lab counts by function, machine host does not"});
  profile.title = title_of(factors);
  for (const auto& [cost, count] : sums) {
    profile.functions.push_back(cost);
    profile.functions.back().instructions = Instructions(count);
  }
  std::stable_sort(
      profile.functions.begin(), profile.functions.end(),
      [](const FunctionCost& a, const FunctionCost& b) { return a.instructions > b.instructions; });
  return profile;
}

void write_profile_table(const Profile& profile, std::ostream& out) {
  print_wrapped(out, "", profile.title);
  out << fmt::format("{} {}{}{}\n\n", with_thousands(profile.total), profile.unit,
                     profile.trials > 1 ? fmt::format(" in {} trials", profile.trials) : "",
                     profile.unit == "instructions" ? ", exact" : "");
  std::size_t widest_count = profile.unit.size();
  std::size_t widest_image = std::string_view("image").size();
  std::size_t widest_who = std::string_view("who").size();
  const auto who = [](const FunctionCost& cost) { return printable(cost.domain) + " " + layer_text(cost); };
  for (const FunctionCost& cost : profile.functions) {
    widest_count = std::max(widest_count, with_thousands(cost.instructions.value).size());
    widest_image = std::max(widest_image, columns(printable(cost.image, 24)));
    widest_who = std::max(widest_who, columns(who(cost)));
  }
  const auto row = [&](std::string_view count, std::string_view percent, std::string_view image,
                       std::string_view w, std::string_view function) {
    out << fmt::format("{:>{}} {:>6}  {:<{}}  {:<{}}  {}\n", count, widest_count, percent, image,
                       widest_image, w, widest_who, function);
  };
  row(profile.unit, "%", "image", "who", "function");
  for (const FunctionCost& cost : profile.functions) {
    const double percent = 100 * static_cast<double>(cost.instructions.value) /
                           static_cast<double>(std::max<std::uint64_t>(profile.total, 1));
    row(with_thousands(cost.instructions.value), fmt::format("{:.2f}", percent), printable(cost.image, 24),
        who(cost), printable(cost.function, 200));
  }
}

void write_folded(const Profile& profile, std::ostream& out) {
  for (std::size_t i = 0; i < profile.functions.size(); ++i) {
    const FunctionCost& cost = profile.functions[i];
    out << fmt::format("{};{};{};", word(cost.domain), word(layer_text(cost)), word(cost.image));
    for (const Caller& caller : callers_of(profile, i)) out << word(caller.function) << ';';
    out << fmt::format("{} {}\n", word(cost.function), cost.instructions.value);
  }
}

void write_callgrind(const Profile& profile, std::ostream& out) {
  out << "# callgrind format\nversion: 1\ncreator: vtax " VTAX_VERSION "\n";
  out << "cmd: " << printable(profile.study, 100) << ": " << profile.title << '\n';
  out << "positions: line\nevents: " << (profile.unit == "instructions" ? "Instructions" : "Samples")
      << "\nsummary: " << profile.total << "\n\n";
  for (const FunctionCost& cost : profile.functions) {
    out << fmt::format("ob={}\nfl={}/{}\nfn={}\n0 {}\n\n", word(cost.image), word(cost.domain),
                       word(layer_text(cost)), word(cost.function), cost.instructions.value);
  }
  out << "totals: " << profile.total << '\n';
}

}  // namespace vtax
