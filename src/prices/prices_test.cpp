#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "prices/estimate.h"
#include "prices/loops.h"
#include "prices/measure.h"
#include "prices/text.h"
#include "query/testing/run_on_disk.h"
#include "record/testing/synthetic_run.h"

namespace vtax::prices {
namespace {

using testing::HasSubstr;

const char* const kPrices = R"(
vtax_prices = 1
processor = "a processor"
unit = "ns"
[instructions]
kernel = { price = 0.5, error = 0.2, source = "a manual" }
hypervisor = { price = 1, error = 0.1, source = "a manual" }
[events]
vm_exits = { price = 1000, error = 0.5, source = "a paper" }
vm_exits_io = { price = 5000, error = 0, source = "a paper" }
bytes_copied = { price = 0.1, error = 0, source = "a paper" }
[not_known]
interrupts = "nobody told"
)";

PriceList prices() {
  const auto read = parse_prices(kPrices, "a.toml");
  EXPECT_TRUE(read) << read.error().text();
  return read.value_or(PriceList());
}

Trial trial_with(std::vector<LedgerEntry> ledger) {
  Trial trial;
  trial.ledger = std::move(ledger);
  return trial;
}

TEST(PriceList, ComesBackAsItWas) {
  const auto again = parse_prices(text_of(prices()), "again");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, prices());
}

TEST(PriceList, CyclesNeedAClock) {
  std::string text = kPrices;
  text.replace(text.find("\"ns\""), 4, "\"cycles\"\nghz = 2");
  const auto read = parse_prices(text, "a.toml");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_DOUBLE_EQ(read->instructions.at(Layer::kernel).ns, 0.25);
  EXPECT_DOUBLE_EQ(read->events.at("vm_exits").ns, 500);
}

TEST(PriceList, RefusesWhatIsWrong) {
  const auto why = [](const std::string& from, const std::string& to) {
    std::string text = kPrices;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    const auto read = parse_prices(text.replace(at, from.size(), to), "a.toml");
    return read ? std::string("prices") : read.error().text();
  };
  EXPECT_THAT(why("vtax_prices = 1\n", ""), HasSubstr("no price list"));
  EXPECT_THAT(why("vtax_prices = 1", "vtax_prices = 2"), HasSubstr("its version is 2"));
  EXPECT_THAT(why("unit = \"ns\"", ""), HasSubstr("does not say its unit"));
  EXPECT_THAT(why("\"ns\"", "\"cycles\""), HasSubstr("need the processor's GHz"));
  EXPECT_THAT(why("\"ns\"", "\"ns\"\nghz = 2"), HasSubstr("means nothing beside"));
  EXPECT_THAT(why("kernel =", "kernal ="), HasSubstr("did you mean 'kernel'"));
  EXPECT_THAT(why("kernel =", "idle ="), HasSubstr("is no layer"));
  EXPECT_THAT(why("vm_exits =", "vm_exit ="), HasSubstr("did you mean 'vm_exits'"));
  EXPECT_THAT(why("price = 0.5,", "price = -1,"), HasSubstr("number from 0"));
  EXPECT_THAT(why("price = 0.5,", ""), HasSubstr("without price"));
  EXPECT_THAT(why(", source = \"a manual\" }", " }"), HasSubstr("without source"));
}

TEST(Estimate, IsInstructionsAndEventsTimesPrices) {
  const EstimatedWindow window =
      estimate(trial_with({{0, "guest1", Layer::kernel, Part::none, "instructions", 1000},
                           {0, "guest1", Layer::kernel, Part::none, "bytes_copied", 2000},
                           {0, "guest1", Layer::hypervisor, Part::none, "instructions", 300},
                           {0, "guest1", Layer::hypervisor, Part::none, "vm_exits", 3},
                           {0, "guest1", Layer::hypervisor, Part::none, "vm_exits_io", 1},
                           {0, "guest1", Layer::hypervisor, Part::none, "vm_exits_msr", 2},
                           {0, "guest1", Layer::hypervisor, Part::none, "hypercalls", 7},
                           {0, "guest1", Layer::program, Part::none, "instructions", 40},
                           {0, "idle", Layer::idle, Part::none, "instructions", 99999}}),
               prices());
  EXPECT_DOUBLE_EQ(window.layers.at(Layer::kernel).ns, 1000 * 0.5 + 2000 * 0.1);
  // One exit at its reason's price, two at that of any exit.
  EXPECT_DOUBLE_EQ(window.layers.at(Layer::hypervisor).ns, 300 * 1 + 5000 + 2 * 1000);
  EXPECT_DOUBLE_EQ(window.total.ns, 700 + 7300);
  EXPECT_DOUBLE_EQ(window.total.error_ns, 500 * 0.2 + 300 * 0.1 + 2000 * 0.5);
  EXPECT_EQ(window.unpriced_instructions, 40U);
  EXPECT_EQ(window.unpriced_events, std::set<std::string>{"hypercalls"});
}

TEST(Estimate, OfARunSaysThatItIsOne) {
  RunOnDisk disk(synthetic_run());
  auto reader = RunReader::open(disk.file());
  ASSERT_TRUE(reader);
  const auto cells = estimate_cells(*reader, prices());
  ASSERT_TRUE(cells) << cells.error().text();
  EXPECT_GE(cells->size(), 50U);
  for (const EstimatedCell& cell : *cells) EXPECT_GT(cell.window.total.ns, 0);
  std::ostringstream out;
  write_estimate(reader->header(), prices(), *cells, out);
  EXPECT_THAT(out.str(), HasSubstr("An estimate, not a measurement"));
  EXPECT_THAT(out.str(), HasSubstr("of the instructions have no price"));
}

TEST(Measure, BetweenReachesBoth) {
  const Price price = between(1, 4, "x");
  EXPECT_DOUBLE_EQ(price.ns, 2);
  EXPECT_DOUBLE_EQ(price.ns * (1 + price.error), 4);
  EXPECT_LE(price.ns / (1 + price.error), 1.0);
}

TEST(Measure, LoopsTakeTimeInTheOrderThatTheyMust) {
  const auto instruction = ns_of_instruction(false), chain = ns_of_instruction(true);
  if (!instruction) GTEST_SKIP() << "no loop for this processor";
  EXPECT_GT(*instruction, 0);
  EXPECT_GT(*chain, *instruction * 0.8);
  EXPECT_GT(*ns_of_system_call(), *instruction);
  EXPECT_GT(*ns_of_page_fault(), *instruction);
  const auto wake_up = ns_of_wake_up(false);
  ASSERT_TRUE(wake_up);
  EXPECT_GT(*wake_up, *ns_of_system_call());
  EXPECT_TRUE(ns_of_wake_up(true));
  EXPECT_FALSE(ns_of_copied_byte(100));
  constexpr std::size_t kSmall = 8 * 1024, kLarge = 64 * 1024 * 1024;
  EXPECT_GT(*ns_of_load(kLarge), *ns_of_load(kSmall));
}

}  // namespace
}  // namespace vtax::prices
