#include <fmt/format.h>

#include <iostream>
#include <utility>

#include "cli/top_sink.h"
#include "core/readable.h"
#include "watch/record/recording_writer.h"

namespace vtax {
namespace {

class RecordedReadings : public TopSink {
 public:
  explicit RecordedReadings(watch::RecordingWriter writer) : writer_(std::move(writer)) {}
  Result<> take(const watch::Reading& reading) override { return writer_.append(reading); }

 private:
  watch::RecordingWriter writer_;
};

}  // namespace

Result<std::unique_ptr<TopSink>> recorded_readings(const std::string& file, std::chrono::nanoseconds delay) {
  auto writer = watch::RecordingWriter::create(file, delay);
  if (!writer) return fail(writer.error());
  std::cerr << fmt::format("vtax: recording into {}; `vtax report` shows it\n", printable(file, 200))
            << std::flush;
  return std::make_unique<RecordedReadings>(std::move(*writer));
}

}  // namespace vtax
