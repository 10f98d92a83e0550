#include "account/probe_output.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace vtax {
namespace {

std::vector<std::byte> file(std::uint64_t contexts, std::uint64_t rows, std::uint32_t row_context = 0) {
  probe::WindowHeader header{};
  header.window_icount = 42;
  header.contexts = contexts;
  header.rows = rows;
  std::vector<std::byte> bytes(sizeof header + contexts * sizeof(probe::Context) + rows * sizeof(probe::Row));
  std::memcpy(bytes.data(), &header, sizeof header);
  for (std::uint64_t i = 0; i < rows; ++i) {
    const probe::Row row{0xffffffff81000000 + i, 7, row_context, 7, 0};
    std::memcpy(bytes.data() + sizeof header + contexts * sizeof(probe::Context) + i * sizeof row, &row,
                sizeof row);
  }
  return bytes;
}

// The same with stays of two virtual CPUs behind its rows.
std::vector<std::byte> scheduled_file(std::vector<probe::Stay> stays) {
  std::vector<std::byte> bytes = file(2, 3);
  const std::uint64_t count = stays.size(), left_out = 4;
  std::memcpy(bytes.data() + offsetof(probe::WindowHeader, stays), &count, sizeof count);
  std::memcpy(bytes.data() + offsetof(probe::WindowHeader, stays_left_out), &left_out, sizeof left_out);
  const auto* from = reinterpret_cast<const std::byte*>(stays.data());
  bytes.insert(bytes.end(), from, from + stays.size() * sizeof(probe::Stay));
  return bytes;
}

// The same with two slices, of two rows and one, and two counts of the cache model.
std::vector<std::byte> sliced_file(std::uint32_t row = 2, std::uint64_t second_end = 9,
                                   std::uint32_t cache_count = 4) {
  std::vector<std::byte> bytes = file(2, 3);
  const std::uint64_t slices = 2, slice_rows = 3;
  std::memcpy(bytes.data() + offsetof(probe::WindowHeader, slices), &slices, sizeof slices);
  std::memcpy(bytes.data() + offsetof(probe::WindowHeader, slice_rows), &slice_rows, sizeof slice_rows);
  const std::uint64_t cache_rows = 2;
  std::memcpy(bytes.data() + offsetof(probe::WindowHeader, cache_rows), &cache_rows, sizeof cache_rows);
  const auto add = [&](const auto& what) {
    const auto* from = reinterpret_cast<const std::byte*>(&what);
    bytes.insert(bytes.end(), from, from + sizeof what);
  };
  add(probe::Slice{5, 100, 0, 1, 2});
  add(probe::Slice{second_end, 0, 0, probe::kNobody, 1});
  for (const std::int64_t instructions : {3, -1, 4}) add(probe::SliceRow{row, 0, instructions});
  add(probe::CacheRow{0, 0, 50});
  add(probe::CacheRow{row, cache_count, 6});
  return bytes;
}

TEST(ProbeOutput, ReadsTheSchedule) {
  const auto window = read_probe_window(scheduled_file({{0, 0, 0, 5, probe::kNeverWoke}, {1, 0, 7, 9, 6}}));
  ASSERT_TRUE(window) << window.error().text();
  ASSERT_EQ(window->stays.size(), 2U);
  EXPECT_EQ(window->stays[0].woke_ns, std::nullopt);
  EXPECT_EQ(window->stays[1].context, 1U);
  EXPECT_EQ(window->stays[1].begin_ns, 7U);
  EXPECT_EQ(window->stays[1].woke_ns, 6U);
  EXPECT_EQ(window->stays_left_out, 4U);
}

TEST(ProbeOutput, AScheduleThatContradictsItselfIsRefused) {
  for (const std::vector<probe::Stay>& stays : std::vector<std::vector<probe::Stay>>{
           {{2, 0, 0, 5, -1}}, {{0, 0, 5, 5, -1}}, {{0, 0, 0, 5, -2}}, {{0, 0, 0, 5, -1}, {1, 0, 4, 9, -1}}})
    EXPECT_FALSE(read_probe_window(scheduled_file(stays)));
}

TEST(ProbeOutput, ReadsSlices) {
  const auto window = read_probe_window(sliced_file());
  ASSERT_TRUE(window) << window.error().text();
  ASSERT_EQ(window->slices.size(), 2U);
  EXPECT_EQ(window->slices[0].end_virtual_ns, 5U);
  EXPECT_EQ(window->slices[0].bytes, Bytes(100));
  EXPECT_EQ(window->slices[0].rows, 2U);
  EXPECT_EQ(window->slices[1].first_row, 2U);
  EXPECT_EQ(window->slices[1].guest, probe::kNobody);
  ASSERT_EQ(window->slice_rows.size(), 3U);
  EXPECT_EQ(window->slice_rows[1].instructions, -1);
  ASSERT_EQ(window->cache_rows.size(), 2U);
  EXPECT_EQ(window->cache_rows[1].count, probe::CacheCount::l3_misses);
  EXPECT_EQ(window->cache_rows[1].value, 6U);
  EXPECT_FALSE(read_probe_window(sliced_file(2, 9, 5)));  // a kind that is not there
  EXPECT_FALSE(read_probe_window(sliced_file(3)));        // a row that is not there
  EXPECT_FALSE(read_probe_window(sliced_file(2, 4)));     // back in time
  const auto whole = sliced_file();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_probe_window(std::span(whole).first(size))) << size;
}

TEST(ProbeOutput, ReadsWhatTheProbeWrote) {
  const auto window = read_probe_window(file(2, 3, 1));
  ASSERT_TRUE(window) << window.error().text();
  EXPECT_EQ(window->contexts.size(), 2U);
  ASSERT_EQ(window->rows.size(), 3U);
  EXPECT_EQ(window->rows[2].address, GuestAddress(0xffffffff81000002));
  EXPECT_EQ(window->total, Instructions(42));
}

TEST(ProbeOutput, RefusesEveryTruncation) {
  const auto whole = file(2, 3);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_probe_window(std::span(whole).first(size))) << size;
}

TEST(ProbeOutput, TellsWhereTheNextRecordBegins) {
  for (const auto& record : {file(2, 3), sliced_file(), file(0, 0)}) {
    auto two = record;
    two.insert(two.end(), record.begin(), record.end());
    const auto bytes = probe_record_bytes(std::span(two).first(sizeof(probe::WindowHeader)));
    ASSERT_TRUE(bytes) << bytes.error().text();
    EXPECT_EQ(*bytes, record.size());
    EXPECT_TRUE(read_probe_window(std::span(two).subspan(*bytes)));
  }
  const auto empty = file(0, 0);
  EXPECT_FALSE(probe_record_bytes(std::span(empty).first(sizeof(probe::WindowHeader) - 1)));
}

TEST(ProbeOutput, CountsTheWindowsOfItsOwnFormatOnly) {
  probe::Header header{};
  header.windows = 7;
  header.state = static_cast<std::uint32_t>(probe::State::window_open);
  EXPECT_EQ(read_probe_status(std::as_bytes(std::span(&header, 1))).windows, 0U);
  std::memcpy(header.magic, probe::kMagic, sizeof header.magic);
  EXPECT_EQ(read_probe_status(std::as_bytes(std::span(&header, 1))).windows, 7U);
  EXPECT_EQ(read_probe_status(std::as_bytes(std::span(&header, 1)).first(8)).windows, 0U);
}

TEST(ProbeOutput, RefusesIndicesAndLengthsBeyondTheTables) {
  EXPECT_FALSE(read_probe_window(file(2, 3, 2)));
  for (const std::uint64_t huge : {~0ULL, 1ULL << 61, 1ULL << 32, 1ULL << 26}) {
    auto bytes = file(1, 1);
    std::memcpy(bytes.data() + offsetof(probe::WindowHeader, rows), &huge, sizeof huge);
    EXPECT_FALSE(read_probe_window(bytes));
    EXPECT_FALSE(probe_record_bytes(bytes));
  }
}

// Whoever reads a window indexes its tables without looking.
void expect_indices_within(const ProbeWindow& window) {
  for (const auto& row : window.rows) {
    EXPECT_LT(row.context, window.contexts.size());
    EXPECT_GT(row.length, 0U);
  }
  for (const auto& event : window.events) {
    EXPECT_LT(event.context, window.contexts.size());
    EXPECT_LT(static_cast<std::uint32_t>(event.event), probe::kEventKinds);
  }
  for (const auto& sum : window.sums) {
    EXPECT_LT(sum.context, window.contexts.size());
    EXPECT_LT(sum.number, probe::kSums);
  }
  std::uint64_t before = 0;
  for (const auto& slice : window.slices) {
    EXPECT_LE(slice.first_row + slice.rows, window.slice_rows.size());
    EXPECT_GE(slice.end_virtual_ns, before);
    before = slice.end_virtual_ns;
  }
  for (const auto& row : window.slice_rows) EXPECT_LT(row.row, window.rows.size());
  for (const auto& row : window.cache_rows) {
    EXPECT_LT(row.row, window.rows.size());
    EXPECT_LT(static_cast<std::uint32_t>(row.count), probe::kCacheCounts);
  }
}

TEST(ProbeOutput, NoiseThatIsTakenHasEveryIndexWithinItsTable) {
  std::mt19937 random(1);
  int taken = 0, refused = 0;
  const auto whole = file(3, 10), sliced = sliced_file();
  for (int round = 0; round < 5000; ++round) {
    auto bytes = round % 2 == 0 ? whole : sliced;
    for (int i = 0; i < 8; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    const auto window = read_probe_window(bytes);
    if (window) expect_indices_within(*window);
    ++(window ? taken : refused);
    const auto length = probe_record_bytes(bytes);
    EXPECT_TRUE(!length || *length <= kMostRecordBytes);
    EXPECT_TRUE(!window || length) << "what can be read has a length";
    EXPECT_LT(read_probe_status(bytes).message.size(), sizeof(probe::Header::message) + 1);
  }
  EXPECT_GT(taken, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace vtax
