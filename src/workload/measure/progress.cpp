#include "workload/measure/progress.h"

#include "workload/measure/marker.h"

namespace vtax {

void WindowProgress::mark(std::uint64_t done, std::uint64_t bytes, std::uint64_t transactions) {
  marker::progress(marking_.guest, bytes, transactions);
  step(done);
}

// The next part's end that is not behind; a step may be shorter than a message.
void WindowProgress::step(std::uint64_t done) {
  const std::uint64_t part = total_ / marking_.marks, rest = total_ % marking_.marks;
  do {
    ++made_;
    next_ = part * made_ + rest * made_ / marking_.marks;
  } while (made_ < marking_.marks && next_ <= done);
  if (made_ > marking_.marks || next_ <= done) next_ = std::numeric_limits<std::uint64_t>::max();
}

}  // namespace vtax
