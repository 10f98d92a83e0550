#include <utility>

#include "cli/top_sink.h"
#include "watch/screen/screen.h"

namespace vtax {
namespace {

class ScreenOfReadings : public TopSink {
 public:
  explicit ScreenOfReadings(watch::Screen screen) : screen_(std::move(screen)) {}

  Result<> take(const watch::Reading& reading) override {
    screen_.take(reading);
    return {};
  }
  std::vector<pollfd> waits_for() override { return {{watch::Screen::input(), POLLIN, 0}}; }
  watch::Wish woken(const std::vector<pollfd>& events) override {
    watch::Wish wish = screen_.look_at_keys();
    // Nobody sits at a terminal that is gone.
    if (!events.empty() && (events[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) wish.quit = true;
    return wish;
  }

 private:
  watch::Screen screen_;
};

}  // namespace

Result<std::unique_ptr<TopSink>> screen_of_readings(watch::Arrangement by, std::chrono::nanoseconds delay) {
  auto screen = watch::Screen::open(std::move(by), delay);
  if (!screen) return fail(screen.error());
  return std::make_unique<ScreenOfReadings>(std::move(*screen));
}

}  // namespace vtax
