#pragma once

#include <ostream>

#include "core/result.h"
#include "watch/record/recording_summary.h"

namespace vtax::watch {

inline constexpr std::size_t kCourseSlices = 60;

// For people, 80 columns wide: totals by guest, who else had the CPUs' time, and the course.
void write_recording(const RecordingSummary& summary, std::ostream& out);

// Two recordings, guest by guest: use of CPUs per second of time in which the guest was there.
void write_recording_comparison(const RecordingSummary& before, const RecordingSummary& after,
                                std::ostream& out);

}  // namespace vtax::watch
