#include "predict/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "core/input_file.h"
#include "core/json_fields.h"
#include "core/readable.h"

namespace vtax::predict {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = 32 << 20, kMostSamples = 10'000, kMostFigures = 100, kMostAxes = 100,
                      kMostScores = 1000, kMostSources = 1000, kMostText = 4096;
constexpr double kMostLog = 50;  // no parameter's logarithm comes near

Json json_of(const KnownCell& cell) {
  return {{"factors", cell.factors},
          {"unit", name(cell.unit)},
          {"figures", cell.figures},
          {"cost_samples", cell.samples}};
}

Json json_of(const Learned& learned) {
  const Covariance& c = learned.covariance;
  Json scales = Json::array();
  for (const Scale scale : learned.scales) scales.push_back(name(scale));
  return {{"axes", learned.axes},
          {"scales", std::move(scales)},
          {"decay", c.decay},
          {"constant", c.constant},
          {"noise", c.noise},
          {"main", c.main},
          {"pairs", c.pairs},
          {"triples", c.triples},
          {"all", c.all},
          {"off_by_cell", learned.off_by_cell},
          {"off_by_pair", learned.off_by_pair},
          {"off_by_level", learned.off_by_level}};
}

Json json_of(const Score& score) {
  Json json{{"test", score.test},
            {"method", score.method},
            {"cells", score.cells},
            {"median_error", score.median},
            {"p90_error", score.p90}};
  if (score.covered) json["covered"] = *score.covered;
  if (score.interval_width) json["interval_width"] = *score.interval_width;
  if (score.least_covered)
    json["least_covered"] = {{"of", score.least_covered->name}, {"share", score.least_covered->share}};
  return json;
}

// One object of the file.
class Part {
 public:
  Part(const JsonFields& file, const Json& json) : file_(file), json_(json) {}

  [[nodiscard]] Result<double> real(const char* key, double least, double most) const {
    const auto found = json_.is_object() ? json_.find(key) : json_.end();
    if (!json_.is_object() || found == json_.end())
      return fail(file_.bad(fmt::format("'{}' is missing", key)));
    return number(*found, key, least, most);
  }
  [[nodiscard]] Result<std::vector<double>> reals(const char* key, std::size_t most_entries, double least,
                                                  double most) const {
    auto entries = fields().array(key, most_entries);
    if (!entries) return fail(entries.error());
    std::vector<double> all;
    for (const Json& entry : *entries) {
      auto value = number(entry, key, least, most);
      if (!value) return fail(value.error());
      all.push_back(*value);
    }
    return all;
  }
  [[nodiscard]] JsonFields fields() const { return {what(), json_.is_object() ? json_ : Json::object()}; }

 private:
  [[nodiscard]] Result<double> number(const Json& json, const char* key, double least, double most) const {
    const double value = json.is_number() ? json.get<double>() : std::nan("");
    if (!(value >= least && value <= most))
      return fail(file_.bad(fmt::format("'{}' is no number from {} to {}", key, least, most)));
    return value;
  }
  [[nodiscard]] std::string what() const { return file_.bad("").what; }

  const JsonFields& file_;
  const Json& json_;
};

constexpr double kLeastFigure = 1e-12, kMostFigure = 1e18;

// Figures are told apart by what they say: a cell that says two things of one is not believed.
std::optional<std::string> contradiction_in(const KnownCell& cell) {
  constexpr double kRounding = 1e-3;  // of sums of whole counts, of which each is divided by itself
  const double cost = cell.figures.at("cost");
  double layers = 0;
  for (const auto& [figure, value] : cell.figures)
    if (figure.starts_with("layer ")) layers += value;
  if (layers > 0 && std::abs(layers / cost - 1) > kRounding)
    return fmt::format("the layers of a cell add up to {:.6g}, and its cost is {:.6g}", layers, cost);
  if (cell.samples.empty()) return std::nullopt;
  const auto [least, most] = std::minmax_element(cell.samples.begin(), cell.samples.end());
  if (cost < *least * (1 - kRounding) || cost > *most * (1 + kRounding))
    return fmt::format("a cell's cost is {:.6g}, and its repetitions' are {:.6g} to {:.6g}", cost, *least,
                       *most);
  return std::nullopt;
}

// The same of all that was read.
std::optional<std::string> contradiction_in(const Model::Parts& parts) {
  std::set<Factors> seen;
  std::map<std::string, Unit> units;
  for (const KnownCell& cell : parts.known.cells) {
    if (!seen.insert(cell.factors).second) return "a cell stands there twice";
    const std::string& workload = cell.factors.at("workload");
    if (units.emplace(workload, cell.unit).first->second != cell.unit)
      return fmt::format("costs of '{}' are of two units", printable(workload));
  }
  constexpr double kRounding = 1e-6;
  if (const double floor = floor_of(parts.known); std::abs(floor - parts.floor) > kRounding)
    return fmt::format("'floor' is {:.6g}, and the repetitions of its cells say {:.6g}", parts.floor, floor);
  for (const Score& score : parts.scores)
    if (score.median > score.p90)
      return fmt::format("the median error of '{}' is larger than nine tenths of its errors",
                         printable(score.test));
  return std::nullopt;
}

Result<KnownCell> cell_in(const JsonFields& file, const Json& json) {
  const Part part(file, json);
  KnownCell cell;
  auto factors = part.fields().object("factors");
  if (!factors) return fail(factors.error());
  for (const auto& [factor, value] : factors->json().items()) {
    if (!value.is_string() || cell.factors.size() >= kMostAxes)
      return fail(file.bad("a cell's factors are not texts, or too many"));
    cell.factors[factor] = value.get<std::string>();
  }
  if (!cell.factors.contains("platform") || !cell.factors.contains("workload"))
    return fail(file.bad("a cell has no platform or no workload"));
  auto unit = part.fields().text("unit");
  if (!unit) return fail(unit.error());
  bool is_known = false;
  for (const Unit one : {Unit::packet, Unit::kilobyte, Unit::transaction})
    if (*unit == name(one)) {
      cell.unit = one;
      is_known = true;
    }
  if (!is_known) return fail(file.bad(fmt::format("no unit is called '{}'", printable(*unit))));
  auto figures = part.fields().object("figures");
  if (!figures) return fail(figures.error());
  for (const auto& [figure, value] : figures->json().items()) {
    if (!value.is_number() || cell.figures.size() >= kMostFigures)
      return fail(file.bad("a cell's figures are not numbers, or too many"));
    const double number = value.get<double>();
    if (!(number >= kLeastFigure && number <= kMostFigure))
      return fail(file.bad(fmt::format("'{}' of a cell is no number above 0", printable(figure))));
    cell.figures[figure] = number;
  }
  if (!cell.figures.contains("cost")) return fail(file.bad("a cell has no cost"));
  auto samples = part.reals("cost_samples", kMostSamples, kLeastFigure, kMostFigure);
  if (!samples) return fail(samples.error());
  cell.samples = std::move(*samples);
  if (const auto why = contradiction_in(cell)) return fail(file.bad(*why));
  return cell;
}

Result<Learned> learned_in(const JsonFields& file, const Json& json) {
  const Part part(file, json);
  Learned learned;
  auto decay = part.reals("decay", kMostAxes, -kMostLog, kMostLog);
  if (!decay) return fail(decay.error());
  learned.covariance.decay = std::move(*decay);
  auto axes = part.fields().array("axes", kMostAxes);
  if (!axes) return fail(axes.error());
  for (const Json& text : *axes) {
    if (!text.is_string()) return fail(file.bad("one of 'axes' is no text"));
    learned.axes.push_back(text.get<std::string>());
  }
  auto scales = part.fields().array("scales", kMostAxes);
  if (!scales) return fail(scales.error());
  for (const Json& text : *scales) {
    const auto scale = text.is_string() ? scale_named(text.get<std::string>()) : std::nullopt;
    if (!scale) return fail(file.bad("one of 'scales' is not known"));
    learned.scales.push_back(*scale);
  }
  Covariance& c = learned.covariance;
  for (const auto& [key, field] :
       {std::pair("constant", &c.constant), std::pair("noise", &c.noise), std::pair("main", &c.main),
        std::pair("pairs", &c.pairs), std::pair("triples", &c.triples), std::pair("all", &c.all)}) {
    auto value = part.real(key, -kMostLog, kMostLog);
    if (!value) return fail(value.error());
    *field = *value;
  }
  constexpr double kMostOff = 1e6;
  for (const auto& [key, field] :
       {std::pair("off_by_cell", &learned.off_by_cell), std::pair("off_by_pair", &learned.off_by_pair),
        std::pair("off_by_level", &learned.off_by_level)}) {
    auto value = part.real(key, 0, kMostOff);
    if (!value) return fail(value.error());
    *field = *value;
  }
  return learned;
}

Result<Score> score_in(const JsonFields& file, const Json& json) {
  const Part part(file, json);
  Score score;
  auto test = part.fields().text("test"), method = part.fields().text("method");
  auto cells = part.fields().number("cells", 0, std::numeric_limits<std::uint32_t>::max());
  auto middle = part.real("median_error", 0, kMostFigure), p90 = part.real("p90_error", 0, kMostFigure);
  for (const Error* error :
       {test ? nullptr : &test.error(), method ? nullptr : &method.error(), cells ? nullptr : &cells.error(),
        middle ? nullptr : &middle.error(), p90 ? nullptr : &p90.error()})
    if (error != nullptr) return fail(*error);
  score = {*test, *method, *cells, *middle, *p90};
  for (const auto& [key, field, most] : {std::tuple("covered", &score.covered, 1.0),
                                         std::tuple("interval_width", &score.interval_width, kMostFigure)}) {
    if (!part.fields().has(key)) continue;
    auto value = part.real(key, 0, most);
    if (!value) return fail(value.error());
    *field = *value;
  }
  if (part.fields().has("least_covered")) {
    auto least = part.fields().object("least_covered");
    if (!least) return fail(least.error());
    auto of = least->text("of", kMostText);
    if (!of) return fail(of.error());
    auto share = Part(file, least->json()).real("share", 0, 1);
    if (!share) return fail(share.error());
    score.least_covered = {*of, *share};
  }
  return score;
}

Result<Source> source_in(const JsonFields& file, const Json& json) {
  const JsonFields fields = Part(file, json).fields();
  Source source;
  for (const auto& [key, field] :
       {std::pair("study", &source.study), std::pair("vtax_version", &source.vtax_version),
        std::pair("started_utc", &source.started_utc), std::pair("digest", &source.digest)}) {
    auto text = fields.text(key, kMostText);
    if (!text) return fail(text.error());
    *field = *text;
  }
  auto trials = fields.number("trials", 0, std::numeric_limits<std::uint32_t>::max());
  if (!trials) return fail(trials.error());
  source.trials = *trials;
  return source;
}

template <class Of, class Add>
Result<> each(const JsonFields& file, const char* key, std::size_t most, const Of& of, const Add& add) {
  auto entries = file.array(key, most);
  if (!entries) return fail(entries.error());
  for (const Json& entry : *entries) {
    auto one = of(file, entry);
    if (!one) return fail(one.error());
    add(std::move(*one));
  }
  return {};
}

}  // namespace

void write_model(const Model& model, std::string_view vtax_version, std::ostream& out) {
  const Model::Parts& parts = model.parts();
  Json json{{"vtax_model", kModelVersion},
            {"vtax_version", vtax_version},
            {"cost_is", parts.known.in_time ? "cpu_ns" : "instructions"},
            {"floor", parts.floor},
            {"made_of", Json::array()},
            {"scores", Json::array()},
            {"learned", Json::object()},
            {"cells", Json::array()}};
  for (const Source& source : parts.known.sources)
    json["made_of"].push_back({{"study", source.study},
                               {"vtax_version", source.vtax_version},
                               {"started_utc", source.started_utc},
                               {"trials", source.trials},
                               {"digest", source.digest}});
  for (const Score& score : parts.scores) json["scores"].push_back(json_of(score));
  for (const auto& [key, learned] : parts.learned) json["learned"][key] = json_of(learned);
  for (const KnownCell& cell : parts.known.cells) json["cells"].push_back(json_of(cell));
  out << json.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

Result<Model> parse_model(std::string_view text, const std::string& shown_name) {
  const std::string what = "cannot read the model " + printable(shown_name);
  auto parsed = JsonFields::parse(what, text, kMostBytes);
  if (!parsed) {
    Error error = parsed.error();
    return fail({error.what, error.why, "`vtax fit RUN ... -o MODEL` makes one", ExitCode::usage});
  }
  const JsonFields& file = *parsed;
  const auto usage = [](Error error) {
    error.code = ExitCode::usage;
    return fail(std::move(error));
  };
  constexpr std::uint64_t kAnyVersion = 1'000'000;
  auto version = file.number("vtax_model", 1, kAnyVersion);
  if (!version) return fail({what, "it is no model of vtax", "`vtax fit RUN ... -o MODEL` makes one"});
  if (*version > kModelVersion)
    return fail({what, fmt::format("its version is {}, this vtax knows {}", *version, kModelVersion),
                 "use a newer vtax"});
  if (*version < kModelVersion)
    return fail({what,
                 fmt::format("its version is {}, which goes by other traits of cells than {}", *version,
                             kModelVersion),
                 "learn it again: `vtax fit RUN ... -o MODEL`, of the runs under 'made_of'"});
  Model::Parts parts;
  auto cost = file.text("cost_is");
  if (!cost) return usage(cost.error());
  if (*cost != "cpu_ns" && *cost != "instructions") return usage(file.bad("'cost_is' is of no known unit"));
  parts.known.in_time = *cost == "cpu_ns";
  auto floor = Part(file, file.json()).real("floor", 0, kMostFigure);
  if (!floor) return usage(floor.error());
  parts.floor = *floor;
  for (auto& read :
       {each(file, "made_of", kMostSources, source_in,
             [&](Source one) { parts.known.sources.push_back(one); }),
        each(file, "scores", kMostScores, score_in, [&](Score one) { parts.scores.push_back(one); }),
        each(file, "cells", kMostCells, cell_in, [&](KnownCell one) { parts.known.cells.push_back(one); })})
    if (!read) return usage(read.error());
  if (parts.known.cells.empty()) return usage(file.bad("it has no cells"));
  if (const auto why = contradiction_in(parts)) return usage(file.bad(*why));
  auto learned = file.object("learned");
  if (!learned) return usage(learned.error());
  for (const auto& [key, value] : learned->json().items()) {
    auto one = learned_in(file, value);
    if (!one) return usage(one.error());
    parts.learned.emplace(key, std::move(*one));
  }
  auto model = Model::of(std::move(parts));
  if (!model) return fail({what, model.error().why, "", ExitCode::usage});
  return model;
}

Result<Model> read_model(const std::filesystem::path& file) {
  const std::string what = "cannot read the model " + printable(file.string());
  auto in = open_input(file, what);
  if (!in) return fail(in.error());
  auto text = read_up_to(*in, kMostBytes + 1, what);
  if (!text) return fail(text.error());
  return parse_model(*text, file.string());
}

}  // namespace vtax::predict
