#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "predict/baselines.h"
#include "predict/fit.h"
#include "predict/model_file.h"
#include "predict/text.h"
#include "predict/traits.h"

namespace vtax::predict {
namespace {

const auto quiet = [](const std::string&) {};

// A law with a pair that works together: xen-pv is dearer the smaller a write is, offloads help native alone.
double law(const std::string& platform, const std::string& offloads, double write) {
  double cost = 2000 * std::pow(write, -0.2);
  if (platform == "container") cost *= 1.3;
  if (platform == "xen-pv") cost *= 3 * std::pow(write / 1448, -0.1);
  if (offloads == "on" && platform != "xen-pv") cost *= 0.6;
  return cost;
}

KnownCell cell_of(const std::string& platform, const std::string& offloads, int write, double noise = 0) {
  KnownCell cell;
  cell.factors = {{"platform", platform},
                  {"offloads", offloads},
                  {"workload", "tcp-stream"},
                  {"topology", "card"},
                  {"write_bytes", std::to_string(write)}};
  cell.unit = Unit::kilobyte;
  const double cost = law(platform, offloads, write) * std::exp(noise);
  cell.figures = {
      {"cost", cost}, {"layer kernel", cost * 0.9}, {"layer program", cost * 0.1}, {"rate", 1e6 / cost}};
  cell.samples = {cost * 0.99, cost, cost * 1.01};
  return cell;
}

KnownCells grid(double noise = 0.005) {
  KnownCells known;
  std::mt19937 random(1);
  std::normal_distribution<double> normal(0, noise);
  for (const char* platform : {"native", "container", "xen-pv"})
    for (const char* offloads : {"on", "off"})
      for (const int write : {64, 256, 512, 1448, 4096, 16384, 65536})
        known.cells.push_back(cell_of(platform, offloads, write, normal(random)));
  known.sources = {{"a-study", "0.1.0", "2026-11-29T00:00:00Z", known.cells.size() * 3, "abc"}};
  return known;
}

const Model& model_of_grid() {
  static const Model model = *fit(grid(), {}, quiet);
  return model;
}

const Score* score_named(const Model& model, std::string_view test, std::string_view method) {
  for (const Score& score : model.parts().scores)
    if (score.test.starts_with(test) && score.method == method) return &score;
  return nullptr;
}

TEST(GaussianProcess, LeavingOutIsWhatFittingWithoutWouldSay) {
  const KnownCells known = grid();
  const CellSpace space(factors_of(known));
  const auto sets = training_sets(known);
  const TrainingSet& set = sets.at("cost per KB");
  const auto process = GaussianProcess::fit(space.distances(set.factors, set.factors, space.usual_scales()),
                                            set.values, set.variances, false);
  const std::vector<std::size_t> group{3, 17};
  const auto left_out = process.without(group);
  TrainingSet rest;
  std::vector<double> values, variances;
  for (std::size_t i = 0; i < set.factors.size(); ++i)
    if (i != 3 && i != 17) {
      rest.factors.push_back(set.factors[i]);
      values.push_back(set.values[static_cast<Eigen::Index>(i)] - set.values.mean());
      variances.push_back(set.variances[static_cast<Eigen::Index>(i)]);
    }
  const auto n = static_cast<Eigen::Index>(values.size());
  const auto without = GaussianProcess::with(
      process.covariance(), space.distances(rest.factors, rest.factors, space.usual_scales()),
      Eigen::Map<Eigen::VectorXd>(values.data(), n), Eigen::Map<Eigen::VectorXd>(variances.data(), n));
  std::vector<Eigen::VectorXd> distances;
  for (std::size_t axis = 0; axis < space.axes().size(); ++axis) {
    Eigen::VectorXd& column = distances.emplace_back(n);
    for (Eigen::Index i = 0; i < n; ++i)
      column[i] =
          space.distance(axis, rest.factors[static_cast<std::size_t>(i)], set.factors[17], Scale::log_1);
  }
  const auto direct = without.at(distances);
  // The mean of the values is the whole grid's in the one, the rest's in the other: a tenth of a percent.
  EXPECT_NEAR(left_out[1].mean, direct.mean + set.values.mean(), 2e-3);
  EXPECT_NEAR(left_out[1].variance, direct.variance, 1e-9 + 0.02 * direct.variance);
}

TEST(Traits, InOneKernelSendingIsReceivingAndNoCardJoins) {
  const auto traits = [](const char* platform, const char* topology, const char* direction,
                         const char* offloads) {
    return with_traits({{"platform", platform},
                        {"topology", topology},
                        {"direction", direction},
                        {"offloads", offloads},
                        {"workload", "tcp-stream"},
                        {"write_bytes", "512"}});
  };
  EXPECT_EQ(traits("native", "inside", "send", "on"), traits("native", "inside", "receive", "off"));
  EXPECT_NE(traits("xen-pv", "inside", "send", "on"), traits("xen-pv", "inside", "receive", "on"));
  EXPECT_NE(traits("native", "card", "send", "on"), traits("native", "card", "receive", "on"));
  EXPECT_EQ(traits("xen-pvh", "card", "send", "on").at("virtualisation"), "xen");
  EXPECT_EQ(traits("container", "card", "send", "on").at("virtualisation"), "none");
  EXPECT_EQ(traits("kvm", "card", "receive", "on").at("merged_on_receipt"), "yes");
  EXPECT_EQ(traits("kvm", "card", "receive", "off").at("merged_on_receipt"), "no");
}

TEST(Traits, CountSegmentsAsTheStackIsAskedToMakeThem) {
  const auto of_write = [](const char* offloads, const char* bytes) {
    return std::stod(with_traits({{"platform", "native"},
                                  {"offloads", offloads},
                                  {"workload", "tcp-stream"},
                                  {"write_bytes", bytes}})
                         .at("segments"));
  };
  EXPECT_EQ(of_write("on", "512"), 2048);
  EXPECT_EQ(of_write("off", "512"), 2048);
  EXPECT_EQ(of_write("on", "65536"), 16);
  EXPECT_EQ(of_write("off", "65536"), of_write("off", "1448"));
  const auto of_exchange = [](const char* offloads, const char* request, const char* response) {
    return with_traits({{"platform", "native"},
                        {"offloads", offloads},
                        {"workload", "tcp-rr"},
                        {"request_bytes", request},
                        {"response_bytes", response}})
        .at("segments");
  };
  EXPECT_EQ(of_exchange("on", "1", "16384"), "2");
  EXPECT_EQ(of_exchange("off", "1", "16384"), "13");
  EXPECT_EQ(of_exchange("off", "1448", "1449"), "3");
}

// Of streams in one kernel that are sent, and of none that are received: with the trait the one tells the
// other, though the direction of a card's streams matters.
TEST(Fit, TellsWhatIsReceivedInOneKernelFromWhatIsSent) {
  KnownCells known;
  for (const char* topology : {"card", "inside"})
    for (const char* direction : {"send", "receive"})
      for (const int write : {64, 512, 4096, 16384, 65536}) {
        const bool is_inside = topology == std::string_view("inside");
        if (is_inside && direction == std::string_view("receive") && write != 64) continue;
        KnownCell cell = cell_of("native", "on", write);
        cell.factors["topology"] = topology;
        cell.factors["direction"] = direction;
        const double factor = is_inside ? 2 : direction == std::string_view("send") ? 0.3 : 1;
        for (auto& [figure, value] : cell.figures) value *= factor;
        for (double& sample : cell.samples) sample *= factor;
        known.cells.push_back(cell);
      }
  const Model model = *fit(known, {0}, quiet);
  Factors asked = cell_of("native", "on", 16384).factors;
  asked["topology"] = "inside";
  asked["direction"] = "receive";
  const auto told = model.predict(asked);
  ASSERT_TRUE(told) << told.error().text();
  EXPECT_NEAR(told->figures.at("cost").value / (2 * law("native", "on", 16384)), 1, 0.02);
}

TEST(Fit, IntervalsOfAllTestsAreScoredByWhatTheOthersGotWrong) {
  for (const char* test : {"held out", "unseen cell", "unseen level", "unseen pair"}) {
    const Score* own = score_named(model_of_grid(), test, kOwnMethod);
    ASSERT_TRUE(own && own->covered && own->interval_width) << test;
    EXPECT_GT(*own->covered, 0.6) << test;
    EXPECT_GT(*own->interval_width, 0) << test;
  }
  const Score* cells = score_named(model_of_grid(), "unseen cell", kOwnMethod);
  ASSERT_TRUE(cells->least_covered);
  EXPECT_LE(cells->least_covered->share, *cells->covered);
  EXPECT_NE(cells->least_covered->name.find(' '), std::string::npos);
}

TEST(Fit, FindsTheLawAndBeatsTheBaselines) {
  const Model& model = model_of_grid();
  for (const char* test : {"unseen cell", "unseen level", "unseen pair"}) {
    const Score* own = score_named(model, test, kOwnMethod);
    ASSERT_TRUE(own) << test;
    EXPECT_LT(own->median, 0.03) << test;
    for (const char* method : {"nearest cell", "factors alone"}) {
      const Score* baseline = score_named(model, test, method);
      ASSERT_TRUE(baseline) << test << method;
      EXPECT_LT(own->median, baseline->median / 2) << test << ": " << method;
    }
  }
  const Score* held = score_named(model, "held out", kOwnMethod);
  ASSERT_TRUE(held);
  EXPECT_GE(held->cells, 4U);
  EXPECT_LT(held->median, 0.04);
}

TEST(Fit, IsTheSameEachTime) {
  std::ostringstream a, b;
  write_model(*fit(grid(), {}, quiet), "1", a);
  write_model(*fit(grid(), {}, quiet), "1", b);
  EXPECT_EQ(a.str(), b.str());
}

TEST(Fit, IntervalsHoldWhatTheySay) {
  // Much noise: of 90 of 100 new cells the cost must be inside, give or take three deviations of that share.
  const Model model = *fit(grid(0.1), {}, quiet);
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0, 0.1);
  int inside = 0, all = 0;
  for (const char* platform : {"native", "container", "xen-pv"})
    for (const char* offloads : {"on", "off"})
      for (int i = 0; i < 40; ++i) {
        const int write = 64 * (1 << (i % 10)) + 17 * i;
        if (write > 65536) continue;
        const KnownCell cell = cell_of(platform, offloads, write, normal(random));
        const auto prediction = model.predict(cell.factors);
        ASSERT_TRUE(prediction) << prediction.error().why;
        const Interval& interval = prediction->figures.at("cost").interval;
        inside += cell.figures.at("cost") >= interval.low && cell.figures.at("cost") <= interval.high ? 1 : 0;
        ++all;
      }
  EXPECT_GE(inside, all * 0.8);
  EXPECT_LT(inside, all);
}

TEST(Predict, LayersAddUpToTheCost) {
  const auto prediction = model_of_grid().predict(cell_of("xen-pv", "on", 2000).factors);
  ASSERT_TRUE(prediction);
  EXPECT_EQ(prediction->reach, Reach::level);
  const auto& figures = prediction->figures;
  EXPECT_NEAR(figures.at("layer kernel").value + figures.at("layer program").value, figures.at("cost").value,
              1e-6);
  EXPECT_NEAR(figures.at("cost").value / law("xen-pv", "on", 2000), 1, 0.03);
}

TEST(Predict, AnUnseenPairHasAWiderIntervalThanAnUnseenCell) {
  KnownCells known = grid(0.05);
  std::erase_if(known.cells, [](const KnownCell& cell) {
    return cell.factors.at("platform") == "container" && cell.factors.at("offloads") == "on";
  });
  const Model model = *fit(known, {0}, quiet);
  const auto pair = model.predict(cell_of("container", "on", 512).factors);
  const auto cell = model.predict(cell_of("container", "off", 512).factors);
  ASSERT_TRUE(pair && cell);
  EXPECT_EQ(pair->reach, Reach::pair);
  EXPECT_EQ(cell->reach, Reach::cell);
  const auto width = [](const Prediction& one) {
    const Interval& interval = one.figures.at("cost").interval;
    return interval.high / interval.low;
  };
  EXPECT_GT(width(*pair), width(*cell));
  const Interval& told = pair->figures.at("cost").interval;
  EXPECT_LT(told.low, law("container", "on", 512));
  EXPECT_GT(told.high, law("container", "on", 512));
}

TEST(Predict, PromisesNothingBeyondWhatItKnows) {
  const auto why = [](Factors factors) {
    const auto prediction = model_of_grid().predict(factors);
    return prediction ? std::string("a promise") : prediction.error().why;
  };
  Factors cell = cell_of("xen-pv", "on", 2000).factors;
  Factors other = cell;
  other["platform"] = "kvm";
  EXPECT_THAT(why(other), testing::HasSubstr("platform kvm"));
  other = cell;
  other["write_bytes"] = "65537";
  EXPECT_THAT(why(other), testing::HasSubstr("from 64 to 65536"));
  other = cell;
  other["topology"] = "inside";
  EXPECT_THAT(why(other), testing::HasSubstr("topology card alone"));
  // What is not named is as usual, and what is as usual need not be known.
  other = cell;
  other.erase("offloads");
  other["balloon_mib"] = "0";
  EXPECT_EQ(why(other), "a promise");
  other = cell;
  other["guests"] = "7";
  EXPECT_THAT(why(other), testing::HasSubstr("no run of it has guests with"));
  other = cell;
  other["write_bytes"] = "much";
  EXPECT_THAT(why(other), testing::HasSubstr("write_bytes much"));
}

TEST(Check, ScoresOnlyWhatItDidNotKnow) {
  KnownCells run;
  run.cells = {cell_of("native", "on", 512), cell_of("native", "on", 900), cell_of("kvm", "on", 900)};
  const auto checked = check(model_of_grid(), run);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->known, 1U);
  ASSERT_EQ(checked->cells.size(), 1U);
  EXPECT_NEAR(checked->cells[0].predicted / checked->cells[0].measured, 1, 0.05);
  ASSERT_EQ(checked->no_promise.size(), 1U);
  run.in_time = true;
  EXPECT_THAT(check(model_of_grid(), run).error().why, testing::HasSubstr("ns of CPU time"));
}

TEST(Fit, RefusesWhatCannotBeLearned) {
  KnownCells few = grid();
  few.cells.resize(5);
  EXPECT_THAT(fit(few, {}, quiet).error().why, testing::HasSubstr("5 cells"));
  KnownCells many;
  many.cells.assign(kMostCells + 1, cell_of("native", "on", 512));
  EXPECT_FALSE(fit(many, {}, quiet));
  KnownCells alike;
  alike.cells.assign(20, cell_of("native", "on", 512));
  EXPECT_THAT(fit(alike, {}, quiet).error().why, testing::HasSubstr("no factor differs"));
}

TEST(ModelFile, ComesBackAsItWas) {
  std::ostringstream text;
  write_model(model_of_grid(), "1", text);
  const auto again = parse_model(text.str(), "m");
  ASSERT_TRUE(again) << again.error().text();
  std::ostringstream second;
  write_model(*again, "1", second);
  EXPECT_EQ(text.str(), second.str());
  const Factors cell = cell_of("container", "off", 3000).factors;
  EXPECT_EQ(again->predict(cell)->figures.at("cost").value,
            model_of_grid().predict(cell)->figures.at("cost").value);
}

TEST(ModelFile, RefusesWhatIsNone) {
  const auto why = [](const std::string& text) {
    const auto model = parse_model(text, "m");
    return model ? std::string("a model") : model.error().why;
  };
  EXPECT_THAT(why(""), testing::HasSubstr("not JSON"));
  EXPECT_THAT(why("{}"), testing::HasSubstr("no model of vtax"));
  EXPECT_THAT(why(R"({"vtax_model": 3})"), testing::HasSubstr("its version is 3"));
  EXPECT_THAT(why(R"({"vtax_model": 1})"), testing::HasSubstr("goes by other traits"));
  std::ostringstream out;
  write_model(model_of_grid(), "1", out);
  const std::string good = out.str();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return why(text.replace(at, from.size(), to));
  };
  EXPECT_THAT(with("\"cost\": ", "\"cost\": -"), testing::HasSubstr("no number above 0"));
  EXPECT_THAT(with("\"unit\": \"KB\"", "\"unit\": \"MB\""), testing::HasSubstr("no unit is called 'MB'"));
  EXPECT_THAT(with("\"off_by_cell\": ", "\"off_by_cell\": -"), testing::HasSubstr("off_by_cell"));
  EXPECT_THAT(with("\"cost per KB\"", "\"cost per pound\""),
              testing::HasSubstr("nothing was learned of 'cost per KB'"));
  EXPECT_THAT(with("\"workload\"", "\"worklord\""), testing::HasSubstr("no workload"));
}

TEST(ModelFile, RefusesNumbersThatContradictEachOther) {
  std::ostringstream out;
  write_model(model_of_grid(), "1", out);
  const nlohmann::json good = nlohmann::json::parse(out.str());
  const auto why = [&](const auto& change) {
    nlohmann::json changed = good;
    change(changed);
    const auto model = parse_model(changed.dump(), "m");
    return model ? std::string("a model") : model.error().why;
  };
  using Json = nlohmann::json;
  EXPECT_EQ(why([](Json&) {}), "a model");
  const auto doubled = [](Json& number) { number = 2 * number.get<double>(); };
  EXPECT_THAT(why([&](Json& model) { doubled(model["cells"][3]["figures"]["layer kernel"]); }),
              testing::HasSubstr("the layers of a cell add up to"));
  EXPECT_THAT(why([&](Json& model) {
                for (const char* figure : {"cost", "layer kernel", "layer program"})
                  doubled(model["cells"][3]["figures"][figure]);
              }),
              testing::HasSubstr("its repetitions' are"));
  EXPECT_THAT(why([](Json& model) { model["cells"].push_back(model["cells"][0]); }),
              testing::HasSubstr("stands there twice"));
  EXPECT_THAT(why([](Json& model) { model["cells"][3]["unit"] = "transaction"; }),
              testing::HasSubstr("costs of 'tcp-stream' are of two units"));
  EXPECT_THAT(why([](Json& model) { model["floor"] = 0.5; }), testing::HasSubstr("'floor' is 0.5"));
  EXPECT_THAT(why([](Json& model) { model["scores"][0]["median_error"] = 1e6; }),
              testing::HasSubstr("larger than nine tenths"));
  EXPECT_THAT(why([](Json& model) { model["scores"][0]["covered"] = 1.5; }),
              testing::HasSubstr("'covered' is no number from 0 to 1"));
}

// Whatever is read is a model whose predictions are numbers.
TEST(ModelFile, SurvivesDamage) {
  std::ostringstream out;
  KnownCells small = grid();
  write_model(*fit(small, {0}, quiet), "1", out);
  std::mt19937 random(3);
  int read = 0;
  for (int i = 0; i < 400; ++i) {
    std::string text = out.str();
    text[random() % text.size()] = "0123456789-{}[],:\"xe."[random() % 21];
    const auto model = parse_model(text, "m");
    if (!model) continue;
    ++read;
    for (const KnownCell& cell : model->parts().known.cells)
      if (const auto prediction = model->predict(cell.factors)) {
        EXPECT_FALSE(std::isnan(prediction->figures.at("cost").value));
        break;
      }
  }
  EXPECT_GT(read, 5);
}

}  // namespace
}  // namespace vtax::predict
