#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

namespace vtax {
namespace {

using testing::HasSubstr;

ProgramResult call(const std::string& arguments) {
  return run_program(VTAX_PROGRAM " " + arguments);
}

class Prediction : public testing::Test {
 protected:
  RunOnDisk disk_{synthetic_run()};
  std::string run_ = disk_.file().string();
  std::string model_ = (disk_.file().parent_path() / "a.model").string();
};

TEST_F(Prediction, IsLearnedFromARunAndCheckedByOne) {
  const auto fitted = call("fit " + run_ + " -o " + model_);
  ASSERT_EQ(fitted.code, 0) << fitted.err;
  EXPECT_THAT(fitted.out, HasSubstr("A model of 60 cells"));
  EXPECT_THAT(fitted.out, HasSubstr("nearest cell"));
  const std::string cell =
      " --set workload=tcp-stream --set platform=xen-pv --set topology=card --set direction=send "
      "--set offloads=off --set write_bytes=2000";
  const auto told = call("predict " + model_ + cell);
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("xen-pv, tcp-stream"));
  EXPECT_THAT(told.out, HasSubstr("between those that were measured"));
  const auto json = nlohmann::json::parse(call("predict " + model_ + cell + " --format json").out);
  ASSERT_EQ(json.at("cells").size(), 1U);
  const auto& cost = json.at("cells")[0].at("predicted").at("cost");
  EXPECT_LT(cost.at("low"), cost.at("value"));
  EXPECT_GT(cost.at("high"), cost.at("value"));
  // Every cell of the run is one that it was made of.
  const auto checked = call("predict " + model_ + " --check " + run_);
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("60 of its cells the model was made of"));
  const auto study = call("predict " + model_ + " first-look --set platform=native,kvm");
  EXPECT_EQ(study.code, 0) << study.err;
  EXPECT_THAT(study.out, HasSubstr("No promise of 20 cells: no run of it has platform kvm"));
}

TEST_F(Prediction, SaysWhatItCannotUse) {
  EXPECT_EQ(call("fit " + run_).code, 2);  // where to?
  EXPECT_EQ(call("fit /nowhere.vtax -o " + model_).code, 2);
  EXPECT_FALSE(std::filesystem::exists(model_));
  const auto no_model = call("predict " + run_);
  EXPECT_EQ(no_model.code, 2);
  EXPECT_THAT(no_model.err, HasSubstr("cannot read the model"));
  EXPECT_THAT(no_model.err, HasSubstr("`vtax fit RUN ... -o MODEL` makes one"));
  ASSERT_EQ(call("fit " + run_ + " -o " + model_).code, 0);
  EXPECT_THAT(call("predict " + model_ + " --set write_bytes").err, HasSubstr("it has no '='"));
  EXPECT_THAT(call("predict " + model_ + " --set colour=red").err,
              HasSubstr("there is no factor of this name"));
  EXPECT_THAT(call("predict " + model_ + " --set platform=kvm").err,
              HasSubstr("no cell of the model has that"));
  EXPECT_THAT(call("predict " + model_ + " first-look --check " + run_).err,
              HasSubstr("--check with a study"));
  EXPECT_EQ(call("predict " + model_ + " >/dev/full").code, 5);
  EXPECT_EQ(call("fit " + run_ + " -o /dev/full").code, 5);
  EXPECT_EQ(call("predict /nowhere.model").code, 2);
  EXPECT_EQ(call("fit " + run_ + " -o " + model_ + " --hold-out nan").code, 2);
  // Before hours of work, not behind them.
  EXPECT_THAT(call("fit /nowhere.vtax -o /nowhere/a.model").err, HasSubstr("cannot write /nowhere/a.model"));
}

TEST_F(Prediction, PromisesNothingWhereItsIntervalHasNoEnd) {
  ASSERT_EQ(call("fit " + run_ + " --hold-out 0 -o " + model_).code, 0);
  nlohmann::json model = nlohmann::json::parse(std::ifstream(model_));
  for (auto& [key, learned] : model.at("learned").items())
    for (const char* off : {"off_by_cell", "off_by_pair", "off_by_level"}) learned[off] = 1e6;
  std::ofstream(model_) << model;
  const auto told = call("predict " + model_ + " --set workload=tcp-stream --set write_bytes=2000");
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("the model's interval of"));
  EXPECT_THAT(told.out, HasSubstr("has no end"));
}

TEST_F(Prediction, EndsAtOnceWhenItIsInterruptedAndLeavesNothing) {
  const std::string folder = disk_.file().parent_path().string();
  const std::string said = folder + "/said";
  const auto ended =
      call(fmt::format("fit {} -o {} 2>{} & p=$!; until grep -q of {}; do sleep 0.01; done; kill -TERM $p; "
                       "wait $p; code=$?; cat {} >&2; rm {}; exit $code",
                       run_, model_, said, said, said, said));
  EXPECT_EQ(ended.code, 130);
  EXPECT_THAT(ended.err, HasSubstr("vtax: interrupted"));
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    EXPECT_EQ(entry.path().filename(), "r.vtax");
}

TEST(SimulatedRun, IsNoMeasurement) {
  auto simulated = synthetic_run();
  simulated.settings = R"({"machine": "simulator"})";
  const RunOnDisk disk(simulated), measured(synthetic_run());
  const std::string file = disk.file().string();
  const std::string model = (disk.file().parent_path() / "a.model").string();
  const std::string prices = (disk.file().parent_path() / "prices.toml").string();
  std::ofstream(prices) << "vtax_prices = 1\nprocessor = \"x\"\nunit = \"ns\"\n[instructions]\n"
                           "kernel = { price = 1, error = 0, source = \"x\" }\n";
  ASSERT_EQ(call("fit " + measured.file().string() + " --hold-out 0 -o " + model).code, 0);
  for (const std::string& arguments :
       {"fit " + file + " -o " + model, "predict " + model + " --check " + file,
        "advise web-box --check " + file, "report " + file + " --prices " + prices, "run --resume " + file}) {
    const auto refused = call(arguments);
    EXPECT_EQ(refused.code, 2) << arguments;
    EXPECT_THAT(refused.err, HasSubstr("`vtax simulate` made it")) << arguments;
  }
  EXPECT_EQ(call("report " + file).code, 0);
}

}  // namespace
}  // namespace vtax
