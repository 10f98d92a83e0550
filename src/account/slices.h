#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "account/probe_output.h"
#include "core/result.h"
#include "record/trial.h"

namespace vtax {

// Charges the slices of a window with what its rows were charged with: call charge() or leave_out() once for
// each row, in the rows' order.
class SliceRows {
 public:
  using Payer = std::tuple<int, std::string, Layer, Part>;  // CPU, domain, layer, part

  explicit SliceRows(const ProbeWindow& window) : window_(window) {}

  void charge(const Payer& payer);
  void leave_out() { payer_of_row_.push_back(kNone); }
  // Whom the row was charged to; null where it was left out.
  [[nodiscard]] const Payer* payer_of(std::size_t row) const {
    const std::size_t number = payer_of_row_[row];
    return number == kNone ? nullptr : names_[number];
  }
  // What no row has goes to the last slice.
  void charge_rest(const Payer& payer, std::int64_t instructions);

  // Empty where the window has no slices but itself. A correction that came a slice too late is moved to
  // where it belongs, so no number is negative.
  [[nodiscard]] Timeline timeline() const;

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t number_of(const Payer& payer);

  const ProbeWindow& window_;
  std::map<Payer, std::size_t> payers_;
  std::vector<const Payer*> names_;  // by number
  std::vector<std::size_t> payer_of_row_;
  std::map<std::size_t, std::int64_t> rest_;
};

// What each guest did in each slice; guest k is the k-th, from 1. What it did not tell stands in the last
// slice. A last slice in which next to nothing happened is made one with the one before. Error: a guest's
// markers say more than its result, or less than before.
[[nodiscard]] Result<> add_work(Timeline& timeline, const ProbeWindow& window,
                                const std::vector<GuestWork>& guests);

}  // namespace vtax
