#include "cli/recordings.h"

#include <fmt/format.h>

#include <utility>

#include "core/readable.h"
#include "watch/record/recording_reader.h"
#include "watch/record/recording_text.h"
#include "watch/show/csv.h"
#include "watch/show/json.h"

namespace vtax {
namespace {

Result<watch::RecordingSummary> summary_of(const std::string& file) {
  auto reader = watch::RecordingReader::open(file);
  if (!reader) return fail(reader.error());
  return watch::summarise(*reader, watch::kCourseSlices);
}

}  // namespace

Result<> report_recording(const std::string& file, const std::string& format, std::ostream& out) {
  if (format == "table") {
    const auto summary = summary_of(file);
    if (!summary) return fail(summary.error());
    watch::write_recording(*summary, out);
    return {};
  }
  if (format != "ndjson" && format != "csv")
    return fail({fmt::format("cannot report {} as {}", printable(file, 200), format),
                 "it is a recording of `vtax top`, which has no trials",
                 "recordings: --format table, ndjson (a reading a line) or csv"});
  auto reader = watch::RecordingReader::open(file);
  if (!reader) return fail(reader.error());
  if (format == "csv") watch::write_csv_heading(out);
  return reader->for_each([&](const watch::Reading& reading) {
    (format == "csv" ? watch::write_csv_rows : watch::write_json_line)(reading, out);
    return Result<>();
  });
}

Result<> compare_recordings(const std::string& before, const std::string& after, std::ostream& out) {
  auto a = summary_of(before);
  if (!a) return fail(a.error());
  auto b = summary_of(after);
  if (!b) return fail(b.error());
  watch::write_recording_comparison(*a, *b, out);
  return {};
}

}  // namespace vtax
