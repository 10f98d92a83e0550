#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "core/harmless.h"
#include "core/json_writer.h"
#include "core/readable.h"
#include "query/comparison.h"
#include "query/profile.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "report/cell_csv.h"
#include "report/comparison_json.h"
#include "report/comparison_summary.h"
#include "report/comparison_text.h"
#include "report/firefox_profile.h"
#include "report/html.h"
#include "report/json.h"
#include "report/ledger_csv.h"
#include "report/markdown.h"
#include "report/openmetrics.h"
#include "report/run_figure.h"
#include "report/table.h"
#include "report/trial_list.h"

// What a run file holds may have been written to harm whoever looks at it: whatever the text, no format lets
// a control character or one that turns the direction of text through.
namespace vtax {
namespace {

// Well-formed, as run files have it; a third of it harms, and the rest is what formats have for themselves.
class ForeignText {
 public:
  explicit ForeignText(std::uint64_t seed) : random_(seed) {}

  std::string next() {
    static constexpr std::array<const char*, 12> kOwn{"\"", "\\", "<", "</script>", "|",   ",",
                                                      ";",  "=",  "{", "é",         "\\u", "plain "};
    std::string out;
    for (std::uint64_t n = 1 + random_() % 12; n > 0; --n)
      out += random_() % 3 == 0 ? harmful() : std::string(kOwn[random_() % kOwn.size()]);
    return out;
  }

 private:
  std::string harmful() {
    static constexpr std::array<const char*, 9> kTurning{"\u061c", "\u200e", "\u200f", "\u2028", "\u202a",
                                                         "\u202e", "\u2066", "\u2069", "\x7f"};
    switch (random_() % 3) {
      case 0:
        return std::string(1, static_cast<char>(1 + random_() % 31));
      case 1:
        return {'\xc2', static_cast<char>(0x80 + random_() % 32)};
      default:
        return kTurning[random_() % kTurning.size()];
    }
  }

  std::mt19937_64 random_;
};

Run foreign_run(ForeignText& text) {
  Run run = synthetic_run();
  run.study = text.next();
  run.question = text.next();
  run.settings = nlohmann::json{{text.next(), text.next()}}.dump();
  run.machine = nlohmann::json{{"processor", text.next()}}.dump();
  const std::string name = text.next(), value = text.next(), kind = text.next();
  for (Trial& trial : run.trials) {
    trial.factors[name] = value;
    trial.factors["offloads"] += value;
    trial.functions[0].function = text.next();
    trial.functions[0].image = text.next();
    trial.ledger.push_back({0, name, Layer::kernel, Part::none, kind, 1});
    trial.provenance = nlohmann::json{{"kernel", text.next()}}.dump();
  }
  make_failed(run.trials[3], text.next());
  return run;
}

// How many harmful characters beside new lines are in it.
int harm_in(std::string_view text) {
  static int found;
  found = 0;
  static_cast<void>(without_harm(text, [](std::optional<std::uint32_t> character) -> std::string {
    found += character == '\n' || character == '\t' ? 0 : 1;
    return "";
  }));
  return found;
}

int harm_in_strings(const nlohmann::json& value) {
  int found = value.is_string() ? harm_in(value.get_ref<const std::string&>()) : 0;
  if (!value.is_structured()) return found;
  for (const auto& [key, element] : value.items())
    found += harm_in_strings(element) + (value.is_object() ? harm_in(key) : 0);
  return found;
}

using Writer = Result<> (*)(RunReader&, std::ostream&);

std::string written(const RunOnDisk& disk, Writer write) {
  auto reader = disk.reader();
  std::ostringstream out;
  const auto done = write(reader, out);
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_FALSE(out.str().empty());
  return out.str();
}

Result<> first_table_of(RunReader& reader, std::ostream& out) {
  return write_table(reader, out, TableDetail::first);
}

Result<> whole_table_of(RunReader& reader, std::ostream& out) {
  return write_table(reader, out, TableDetail::all);
}

Result<> tax_figure_of(RunReader& reader, std::ostream& out) {
  return write_run_figure(reader, "tax", "", out);
}

Result<> layers_figure_of(RunReader& reader, std::ostream& out) {
  return write_run_figure(reader, "layers", "", out);
}

Result<> page_of(RunReader& reader, std::ostream& out) {
  return write_html(reader, out);
}

TEST(ForeignText, HarmsInNoFormatOfAReport) {
  ForeignText text(1);
  for (int i = 0; i < 3; ++i) {
    const vtax::Run run = foreign_run(text);
    const RunOnDisk disk(run);
    for (const auto& [format, write] :
         std::initializer_list<std::pair<const char*, Writer>>{{"table", first_table_of},
                                                               {"all of the table", whole_table_of},
                                                               {"tax", tax_figure_of},
                                                               {"layers", layers_figure_of},
                                                               {"trials", write_trial_list},
                                                               {"markdown", write_markdown},
                                                               {"openmetrics", write_openmetrics},
                                                               {"json", write_json},
                                                               {"ndjson", write_ndjson},
                                                               {"html", page_of}})
      EXPECT_EQ(harm_in(written(disk, write)), 0) << format;
    for (const Writer write : {write_cell_csv, write_ledger_csv}) {
      std::string csv = written(disk, write);
      for (std::size_t at = 0; (at = csv.find("\r\n", at)) != std::string::npos;) csv.erase(at, 1);
      EXPECT_EQ(harm_in(csv), 0);
    }
  }
}

TEST(ForeignText, IsWholeInJson) {
  ForeignText text(2);
  for (int i = 0; i < 2; ++i) {
    const vtax::Run run = foreign_run(text);
    const RunOnDisk disk(run);
    const auto json = nlohmann::json::parse(written(disk, write_json));
    EXPECT_EQ(json["study"], run.study);
    EXPECT_EQ(json["question"], run.question);
    EXPECT_EQ(json["settings"], nlohmann::json::parse(run.settings));
  }
}

// A browser shows what the strings of the page's data hold, however they are escaped.
TEST(ForeignText, HarmsInNoStringOfThePage) {
  ForeignText text(3);
  for (int i = 0; i < 2; ++i) {
    const RunOnDisk disk(foreign_run(text));
    const std::string page = written(disk, page_of);
    const auto script = page.find("id=\"data\"");
    ASSERT_NE(script, std::string::npos);
    const auto begin = page.find('>', script) + 1;
    const auto data =
        nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin), nullptr, false);
    ASSERT_TRUE(data.is_object());
    EXPECT_EQ(harm_in_strings(data), 0);
  }
}

TEST(ForeignText, HarmsInNoProfile) {
  ForeignText text(4);
  for (int i = 0; i < 2; ++i) {
    const RunOnDisk disk(foreign_run(text));
    auto reader = disk.reader();
    const auto profile = read_profile(reader, 57);
    ASSERT_TRUE(profile) << profile.error().text();
    for (const auto write : {write_profile_table, write_folded, write_callgrind, write_firefox_profile}) {
      std::ostringstream out;
      write(*profile, out);
      EXPECT_EQ(harm_in(out.str()), 0);
    }
  }
}

TEST(ForeignText, HarmsInNoComparison) {
  ForeignText text(5);
  for (int i = 0; i < 2; ++i) {
    vtax::Run run = foreign_run(text);
    const RunOnDisk before(run);
    run.machine = nlohmann::json{{"processor", text.next()}}.dump();
    run.vtax_version = "another";
    for (Trial& trial : run.trials) {
      if (!trial.error.empty() || trial.functions.empty()) continue;
      trial.functions[0].function = text.next();
      trial.provenance = nlohmann::json{{"kernel", text.next()}}.dump();
    }
    const RunOnDisk after(run);
    auto first = before.reader(), second = after.reader();
    const auto comparison = compare_runs(first, second);
    ASSERT_TRUE(comparison) << comparison.error().text();
    std::ostringstream table, json;
    write_comparison_summary(*comparison, CellsShown::all, table);
    write_comparison_markdown(*comparison, CellsShown::all, table);
    write_comparison_details(comparison->cells, table);
    write_comparison_json(*comparison, json);
    EXPECT_EQ(harm_in(table.str()), 0);
    EXPECT_EQ(harm_in(json.str()), 0);
    EXPECT_TRUE(nlohmann::json::accept(json.str()));
  }
}

// Not even well-formed: of each broken byte there is one U+FFFD.
TEST(ForeignText, AnyBytesMakeValidJson) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 20, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::ostringstream out;
    {
      JsonWriter json(out);
      json.begin_object().field("a", bytes).key("of " + bytes).null().end_object();
    }
    const auto read = nlohmann::json::parse(out.str(), nullptr, false);
    ASSERT_TRUE(read.is_object()) << out.str();
    EXPECT_EQ(harm_in(out.str()), 0);
    if (is_text(bytes)) {
      EXPECT_EQ(read["a"], bytes);
    }
  }
}

}  // namespace
}  // namespace vtax
