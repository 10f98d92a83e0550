#include "model/terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"

namespace vtax {
namespace {

using testing::HasSubstr;

TEST(TermTable, PatternsAreStars) {
  EXPECT_TRUE(fits_pattern("tcp_ack", "tcp_*"));
  EXPECT_TRUE(fits_pattern("__tcp_ack.part.0", "*tcp_*"));
  EXPECT_TRUE(fits_pattern("abcabc", "a*c"));
  EXPECT_TRUE(fits_pattern("", "*"));
  EXPECT_FALSE(fits_pattern("tcp", "tcp_*"));
  EXPECT_FALSE(fits_pattern("xtcp_ack", "tcp_*"));
  EXPECT_FALSE(fits_pattern("abcab", "a*c"));
  EXPECT_FALSE(fits_pattern(std::string(5000, 'a'), "*a*a*a*a*a*a*a*b"));
}

TermTable built_in() {
  auto table = TermTable::built_in();
  EXPECT_TRUE(table) << table.error().text();
  return *table;
}

std::string term_name(const TermTable& table, const char* image, const char* function) {
  const std::size_t place = table.term_of({"guest1", Layer::kernel, Part::none, image, function, {}});
  return place < table.terms().size() ? table.terms()[place].name : "";
}

TEST(TermTable, TheBuiltInOneKnowsThePath) {
  const TermTable table = built_in();
  EXPECT_EQ(table.terms().size(), 7U);
  EXPECT_EQ(term_name(table, "vmlinux", "tcp_sendmsg_locked"), "TCP");
  EXPECT_EQ(term_name(table, "vmlinux", "copy_user_generic_unrolled"), "inet");
  EXPECT_EQ(term_name(table, "vmlinux", "ip_output"), "IP");
  EXPECT_EQ(term_name(table, "e1000e", "e1000_xmit_frame"), "driver");
  EXPECT_EQ(term_name(table, "bridge", "br_handle_frame"), "bridge");
  EXPECT_EQ(term_name(table, "xen_netback", "xenvif_tx_action"), "netloop");
  EXPECT_EQ(term_name(table, "xen", "gnttab_copy"), "netloop");
  EXPECT_EQ(term_name(table, "vmlinux", "entry_SYSCALL_64"), "syscall");
  EXPECT_EQ(term_name(table, "vmlinux", "kmem_cache_alloc"), "");
}

TEST(TermTable, WrongOnesSayWhy) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"model = 3", "'model' must be a short text"},
           {"other = 3", "unknown key 'other'"},
           {"", "1 to 200 [[term]]"},
           {"[[term]]\nfunctions = [\"a\"]", "needs a 'name'"},
           {"[[term]]\nname = \"a\"", "needs 'images' or 'functions'"},
           {"[[term]]\nname = \"a\"\nfunctions = []", "needs 'images' or 'functions'"},
           {"[[term]]\nname = \"a\"\nfunctions = [1]", "needs 'images' or 'functions'"},
           {"[[term]]\nname = \"a\"\nfunctions = [\"b\"]\ngrows = 1", "must be true or false"},
           {"[[term]]\nname = \"a\"\nfunctions = [\"b\"]\nfunction = 1", "unknown key 'function'"},
           {"term = 3", "1 to 200 [[term]]"},
           {"[term", "line 1"}}) {
    const auto table = TermTable::parse(text, "t.toml");
    ASSERT_FALSE(table) << text;
    EXPECT_THAT(table.error().text(), HasSubstr(why)) << text;
  }
}

TEST(TermTable, NoiseIsAnErrorOrATable) {
  std::mt19937 random(7);
  const std::string good =
      "model = \"m\"\n[[term]]\nname = \"a\"\ngrows = true\nfunctions = [\"b*\", \"c\"]\nimages = "
      "[\"xen\"]\n";
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good;
    for (int i = 0; i < 3; ++i)
      bad[random() % bad.size()] = static_cast<char>(round % 2 == 0 ? random() : ' ' + random() % 95);
    const auto table = TermTable::parse(bad, "noise");
    if (table) {
      EXPECT_FALSE(table->terms().empty());
    }
  }
}

// A run whose functions cost what a model says.
Run modelled() {
  Run run = synthetic_header();
  for (const std::uint64_t size : {512U, 1024U, 4096U, 16384U}) {
    auto factors = synthetic_run().trials[0].factors;
    factors["workload"] = "tcp-stream";
    factors["write_bytes"] = std::to_string(size);
    Trial trial = synthetic_trial(run.trials.size(), factors);
    trial.work.bytes = Bytes(1U << 20U);
    const std::uint64_t messages = trial.work.bytes.value / size;
    trial.functions = {
        {"host", Layer::kernel, Part::none, "vmlinux", "tcp_sendmsg", Instructions(700 * messages)},
        {"host", Layer::kernel, Part::none, "vmlinux", "copy_user_generic",
         Instructions((50 + size / 8) * messages)},
        {"host", Layer::kernel, Part::none, "vmlinux", "kfree", Instructions(30 * messages)}};
    trial.machine_total = Instructions((780 + size / 8) * messages);
    trial.ledger = {{0, "host", Layer::kernel, Part::none, "instructions", trial.machine_total.value}};
    run.trials.push_back(std::move(trial));
  }
  return run;
}

TEST(Terms, FindConstantAndSlope) {
  const RunOnDisk disk(modelled());
  auto reader = disk.reader();
  const auto models = message_models(reader, built_in());
  ASSERT_TRUE(models) << models.error().text();
  ASSERT_EQ(models->size(), 1U);
  const MessageModel& model = models->front();
  EXPECT_EQ(model.sizes, (std::vector<double>{512, 1024, 4096, 16384}));
  const auto term = [&](const std::string& name) {
    for (const TermCost& t : model.terms) {
      if (t.name == name) return t;
    }
    ADD_FAILURE() << name;
    return model.total;
  };
  EXPECT_NEAR(term("TCP").fit->constant, 700, 1e-9);
  EXPECT_NEAR(term("TCP").fit->slope, 0, 1e-12);
  EXPECT_NEAR(term("inet").fit->constant, 50, 1e-9);
  EXPECT_NEAR(term("inet").slope_per_kilobyte(), 128, 1e-9);
  EXPECT_NEAR(*term("inet").fit->r_squared, 1, 1e-12);
  EXPECT_NEAR(term("other, kernel").fit->constant, 30, 1e-9);
  EXPECT_NEAR(model.total.fit->constant, 780, 1e-9);
  for (std::size_t i = 0; i < model.sizes.size(); ++i) {
    double sum = 0;
    for (const TermCost& t : model.terms) sum += t.costs[i];
    EXPECT_NEAR(sum, model.total.costs[i], 1e-9);
  }
  std::ostringstream out;
  write_terms(built_in(), *models, out);
  EXPECT_THAT(out.str(), HasSubstr("TCP"));
  EXPECT_THAT(out.str(), HasSubstr("16 KiB"));
}

TEST(Terms, OfOneSizeAreRefused) {
  auto run = modelled();
  run.trials.resize(1);
  const RunOnDisk disk(run);
  auto reader = disk.reader();
  EXPECT_THAT(message_models(reader, built_in()).error().text(), HasSubstr("several sizes"));
}

}  // namespace
}  // namespace vtax
