#include "account/slices.h"

#include <fmt/format.h>

namespace vtax {
namespace {

// Between the last progress marker and the window's end there may be no more than a few instructions.
constexpr std::uint64_t kLeastShare = 1000;

void join_last(std::vector<std::uint64_t>& column) {
  const std::uint64_t last = column.back();
  column.pop_back();
  column.back() += last;
}

// Whether the last slice is less than a thousandth of the window and has no work of its own.
bool is_last_negligible(const Timeline& timeline) {
  if (timeline.end_ns.size() < 2) return false;
  for (const Timeline::Amounts& work : timeline.work)
    if (work.bytes.back() != 0 || work.transactions.back() != 0) return false;
  std::uint64_t all = 0, last = 0;
  for (const Timeline::Row& row : timeline.rows) {
    for (const std::uint64_t instructions : row.cost) all += instructions;
    last += row.cost.back();
  }
  return last < all / kLeastShare;
}

}  // namespace

std::size_t SliceRows::number_of(const Payer& payer) {
  const auto [place, is_new] = payers_.try_emplace(payer, payers_.size());
  if (is_new) names_.push_back(&place->first);
  return place->second;
}

void SliceRows::charge(const Payer& payer) {
  payer_of_row_.push_back(number_of(payer));
}

void SliceRows::charge_rest(const Payer& payer, std::int64_t instructions) {
  rest_[number_of(payer)] += instructions;
}

Timeline SliceRows::timeline() const {
  Timeline timeline;
  if (window_.slices.size() < 2) return timeline;
  const std::size_t slices = window_.slices.size();
  std::vector<std::vector<std::int64_t>> counts(payers_.size(), std::vector<std::int64_t>(slices));
  for (std::size_t i = 0; i < slices; ++i) {
    const ProbeWindow::Slice& slice = window_.slices[i];
    timeline.end_ns.push_back(slice.end_virtual_ns);
    for (std::size_t k = slice.first_row; k < slice.first_row + slice.rows; ++k) {
      const ProbeWindow::SliceRow& row = window_.slice_rows[k];
      if (const std::size_t payer = payer_of_row_[row.row]; payer != kNone)
        counts[payer][i] += row.instructions;
    }
  }
  for (const auto& [payer, instructions] : rest_) counts[payer].back() += instructions;

  for (const auto& [payer, number] : payers_) {
    std::vector<std::int64_t>& column = counts[number];
    std::int64_t sum = 0;
    for (std::size_t i = slices - 1; i > 0; --i) {
      if (column[i] < 0) column[i - 1] += column[i], column[i] = 0;
      sum += column[i];
    }
    if (column[0] < 0 || sum + column[0] == 0) continue;  // the ledger has no such entry, or refuses it
    timeline.rows.push_back({std::get<0>(payer),
                             std::get<1>(payer),
                             std::get<2>(payer),
                             std::get<3>(payer),
                             {column.begin(), column.end()}});
  }
  return timeline;
}

Result<> add_work(Timeline& timeline, const ProbeWindow& window, const std::vector<GuestWork>& guests) {
  if (timeline.empty()) return {};
  const std::size_t slices = timeline.end_ns.size();
  std::vector<GuestWork> told(guests.size());
  for (const GuestWork& guest : guests)
    timeline.work.push_back(
        {guest.guest, std::vector<std::uint64_t>(slices), std::vector<std::uint64_t>(slices)});
  const auto wrong = [](const std::string& guest) {
    return fail({"cannot tell the window's course",
                 fmt::format("{} marks more work than it did, or less than before", guest), "",
                 ExitCode::trial_failed});
  };
  for (std::size_t i = 0; i < slices; ++i) {
    const ProbeWindow::Slice& slice = window.slices[i];
    if (slice.guest == 0 || slice.guest > guests.size()) continue;
    const std::size_t k = slice.guest - 1;
    if (slice.bytes < told[k].bytes || slice.bytes > guests[k].bytes ||
        slice.transactions < told[k].transactions || slice.transactions > guests[k].transactions)
      return wrong(guests[k].guest);
    timeline.work[k].bytes[i] = slice.bytes.value - told[k].bytes.value;
    timeline.work[k].transactions[i] = slice.transactions.value - told[k].transactions.value;
    told[k].bytes = slice.bytes;
    told[k].transactions = slice.transactions;
  }
  for (std::size_t k = 0; k < guests.size(); ++k) {
    timeline.work[k].bytes.back() += guests[k].bytes.value - told[k].bytes.value;
    timeline.work[k].transactions.back() += guests[k].transactions.value - told[k].transactions.value;
  }
  if (!is_last_negligible(timeline)) return {};
  const std::uint64_t end = timeline.end_ns.back();
  timeline.end_ns.pop_back();
  timeline.end_ns.back() = end;
  for (Timeline::Row& row : timeline.rows) join_last(row.cost);
  for (Timeline::Amounts& work : timeline.work) join_last(work.bytes), join_last(work.transactions);
  return {};
}

}  // namespace vtax
