#include "record/not_tried.h"

#include <algorithm>

namespace vtax {

Result<> leave_untried(std::vector<Trial> trials, const Error& why, const OnNotTried& on_not_tried,
                       const std::function<Result<>(Trial trial)>& on_finished) {
  Error reason = why;
  if (on_not_tried) reason.next.clear();  // a machine's last lines, which are said once
  for (Trial& trial : trials) trial.error = kNotTried + reason.text();
  if (on_not_tried) return on_not_tried(why, std::move(trials));
  for (Trial& trial : trials)
    if (auto kept = on_finished(std::move(trial)); !kept) return kept;
  return {};
}

bool is_same_failure(const Error& a, const Error& b) {
  const auto words = [](const Error& error) {
    std::string text = error.what + "\n" + error.why;
    std::erase_if(text, [](char letter) { return letter >= '0' && letter <= '9'; });
    return text;
  };
  return words(a) == words(b);
}

}  // namespace vtax
