#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"
#include "tests/program.h"

// docs/ci/*.yml: that they are YAML of the shape that their services read, and that what they gate on works.
namespace vtax {
namespace {

using testing::HasSubstr;

// As JSON, by Python's YAML parser.
nlohmann::json recipe(const std::string& name) {
  const auto read = run_program(
      "python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout, "
      "default=str)' " +
      std::string(VTAX_SOURCE_DIR) + "/docs/ci/" + name);
  EXPECT_EQ(read.code, 0) << read.err;
  return nlohmann::json::parse(read.out, nullptr, false);
}

bool has_yaml() {
  return run_program("python3 -c 'import yaml'").code == 0;
}

// Each command of a recipe that calls vtax.
std::vector<std::string> vtax_commands(const std::vector<std::string>& scripts) {
  std::vector<std::string> commands;
  for (const std::string& script : scripts) {
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("vtax ")) commands.push_back(line);
  }
  return commands;
}

std::vector<std::string> scripts_of_github(const nlohmann::json& workflow) {
  std::vector<std::string> scripts;
  for (const auto& step : workflow["jobs"]["cost"]["steps"]) {
    EXPECT_TRUE(step.contains("run") != step.contains("uses")) << step;
    if (step.contains("run")) scripts.push_back(step["run"]);
  }
  return scripts;
}

std::vector<std::string> scripts_of_gitlab(const nlohmann::json& pipeline) {
  std::vector<std::string> scripts = pipeline["cost"]["before_script"];
  for (const auto& line : pipeline["cost"]["script"]) scripts.push_back(line);
  return scripts;
}

class CiRecipes : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static std::vector<std::string> commands() {
    const auto text = recipe(GetParam());
    return vtax_commands(GetParam() == "github.yml" ? scripts_of_github(text) : scripts_of_gitlab(text));
  }
};

TEST_P(CiRecipes, CallVtaxWithOptionsThatItHas) {
  if (!has_yaml()) GTEST_SKIP() << "PyYAML is missing: apt-get install python3-yaml";
  int runs = 0, fetches = 0;
  for (const std::string& command : commands()) {
    std::istringstream words(command);
    std::string vtax, verb;
    words >> vtax >> verb;
    const std::string help = run_program(VTAX_PROGRAM " " + verb + " --help").out;
    for (std::string word; words >> word;) {
      if (word.starts_with("--")) {
        EXPECT_THAT(help, HasSubstr(word)) << command;
      }
    }
    runs += verb == "run";
    fetches += command == "vtax lab fetch";
  }
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(fetches, 1);
}

// As the job does it, on two runs of which the second is dearer in one cell by more than 2 %, or by less.
TEST_P(CiRecipes, FailWhatBecameDearer) {
  if (!has_yaml()) GTEST_SKIP() << "PyYAML is missing: apt-get install python3-yaml";
  std::string script = "set -e\nvtax() { " VTAX_PROGRAM " \"$@\"; }\n";
  for (const std::string& command : commands())
    if (command.starts_with("vtax compare")) script += command + '\n';
  for (const auto& [factor, code] : {std::pair(1.5, 1), std::pair(1.0, 0)}) {
    vtax::Run run = synthetic_run();
    const RunOnDisk before(run);
    scale_function(run.trials[57], "xenvif_tx_action", factor);
    const RunOnDisk after(run);
    const auto folder = before.file().parent_path();
    std::filesystem::copy_file(before.file(), folder / "before.vtax");
    std::filesystem::copy_file(after.file(), folder / "after.vtax");
    std::ofstream(folder / "script") << script;
    const auto gate = run_program("cd " + folder.string() + " && bash ./script");
    EXPECT_EQ(gate.code, code) << gate.err;
    EXPECT_TRUE(std::filesystem::exists(folder / "comment.md"));
    EXPECT_TRUE(std::filesystem::exists(folder / "compared.html"));
    if (code == 1) {
      EXPECT_THAT(gate.err, HasSubstr("xen-pv, tcp-stream, receiving, card, offloads off, 64 KiB writes"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Services, CiRecipes, testing::Values("github.yml", "gitlab.yml"),
                         [](const auto& name) { return name.param.substr(0, name.param.find('.')); });

}  // namespace
}  // namespace vtax
