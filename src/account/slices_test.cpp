#include "account/slices.h"

#include <gtest/gtest.h>

namespace vtax {
namespace {

const SliceRows::Payer kKernelOf1{2, "guest1", Layer::kernel, Part::none};
const SliceRows::Payer kProgramOf1{2, "guest1", Layer::program, Part::none};

// Three slices of four rows: two of the kernel, one of the peer, one of the program.
ProbeWindow window() {
  ProbeWindow out;
  out.contexts = {{2, 1, 0}, {1, 0, 0}};
  out.rows = {{0, GuestAddress(0x10), 50},
              {0, GuestAddress(0x20), 7},
              {1, GuestAddress(0x10), 1000},
              {0, GuestAddress(0x30), 9}};
  out.slices = {{100, 1, Bytes(40), Transactions(), 0, 2},
                {250, 1, Bytes(100), Transactions(), 2, 3},
                {300, probe::kNobody, Bytes(), Transactions(), 5, 2}};
  // The second slice takes back two instructions that a fault of the first did not execute.
  out.slice_rows = {{0, 52}, {3, 4}, {0, -2}, {2, 1000}, {3, 5}, {1, 3}, {1, 4}};
  return out;
}

SliceRows charged(const ProbeWindow& from) {
  SliceRows rows(from);
  rows.charge(kKernelOf1);
  rows.charge(kKernelOf1);
  rows.leave_out();
  rows.charge(kProgramOf1);
  return rows;
}

TEST(Slices, AddUpToTheWindowAndTakeBackWhereItBelongs) {
  const ProbeWindow from = window();
  const Timeline timeline = charged(from).timeline();
  EXPECT_EQ(timeline.end_ns, (std::vector<std::uint64_t>{100, 250, 300}));
  ASSERT_EQ(timeline.rows.size(), 2U);
  EXPECT_EQ(timeline.rows[0].layer, Layer::kernel);
  EXPECT_EQ(timeline.rows[0].cost, (std::vector<std::uint64_t>{50, 0, 7}));
  EXPECT_EQ(timeline.rows[1].layer, Layer::program);
  EXPECT_EQ(timeline.rows[1].cost, (std::vector<std::uint64_t>{4, 5, 0}));
}

TEST(Slices, WhatNoRowHasIsInTheLast) {
  const ProbeWindow from = window();
  SliceRows rows = charged(from);
  rows.charge_rest({0, "unknown", Layer::uncharged, Part::none}, 6);
  const Timeline timeline = rows.timeline();
  ASSERT_EQ(timeline.rows.size(), 3U);
  EXPECT_EQ(timeline.rows[0].layer, Layer::uncharged);
  EXPECT_EQ(timeline.rows[0].cost, (std::vector<std::uint64_t>{0, 0, 6}));
}

TEST(Slices, AWindowWithoutMarksHasNoTimeline) {
  ProbeWindow from = window();
  from.slices.resize(1);
  EXPECT_TRUE(charged(from).timeline().empty());
}

TEST(Slices, WorkStandsWhereItWasTold) {
  const ProbeWindow from = window();
  Timeline timeline = charged(from).timeline();
  ASSERT_TRUE(
      add_work(timeline, from, {{"guest1", Bytes(110), Transactions(3), 1}, {"guest2", Bytes(5), {}, 1}}));
  ASSERT_EQ(timeline.work.size(), 2U);
  EXPECT_EQ(timeline.work[0].guest, "guest1");
  EXPECT_EQ(timeline.work[0].bytes, (std::vector<std::uint64_t>{40, 60, 10}));
  EXPECT_EQ(timeline.work[0].transactions, (std::vector<std::uint64_t>{0, 0, 3}));
  EXPECT_EQ(timeline.work[1].bytes, (std::vector<std::uint64_t>{0, 0, 5}));
}

TEST(Slices, ALastOneWithoutWorkAndCostIsNoSliceOfItsOwn) {
  ProbeWindow from = window();
  from.slice_rows = {{0, 52000}, {3, 4}, {0, -2}, {2, 1000}, {3, 5}, {1, 3}, {1, 4}};
  Timeline timeline = charged(from).timeline();
  ASSERT_TRUE(add_work(timeline, from, {{"guest1", Bytes(100), Transactions(), 1}}));
  EXPECT_EQ(timeline.end_ns, (std::vector<std::uint64_t>{100, 300}));
  EXPECT_EQ(timeline.rows[0].cost, (std::vector<std::uint64_t>{51998, 7}));
  EXPECT_EQ(timeline.work[0].bytes, (std::vector<std::uint64_t>{40, 60}));
}

TEST(Slices, MarksThatContradictTheResultAreRefused) {
  const ProbeWindow from = window();
  Timeline timeline = charged(from).timeline();
  EXPECT_FALSE(add_work(timeline, from, {{"guest1", Bytes(99), Transactions(), 1}}));
  ProbeWindow back = window();
  back.slices[1].bytes = Bytes(39);
  timeline = charged(back).timeline();
  EXPECT_FALSE(add_work(timeline, back, {{"guest1", Bytes(100), Transactions(), 1}}));
  // A number that no guest has is nobody's mark.
  ProbeWindow foreign = window();
  foreign.slices[0].guest = 77;
  timeline = charged(foreign).timeline();
  ASSERT_TRUE(add_work(timeline, foreign, {{"guest1", Bytes(100), Transactions(), 1}}));
  EXPECT_EQ(timeline.work[0].bytes, (std::vector<std::uint64_t>{0, 100, 0}));
}

}  // namespace
}  // namespace vtax
