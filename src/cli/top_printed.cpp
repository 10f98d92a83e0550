#include <iostream>
#include <utility>

#include "cli/terminal_columns.h"
#include "cli/top_sink.h"
#include "watch/show/csv.h"
#include "watch/show/json.h"
#include "watch/show/table.h"

namespace vtax {
namespace {

// A table has room for its first column at least, and takes what there is.
constexpr std::size_t kLeastColumns = 20, kMostColumns = 1000;

class PrintedReadings : public TopSink {
 public:
  PrintedReadings(std::string format, watch::Arrangement by)
      : format_(std::move(format)), by_(std::move(by)) {}

  Result<> take(const watch::Reading& reading) override {
    if (format_ == "json") {
      watch::write_json_line(reading, std::cout);
    } else if (format_ == "csv") {
      if (!std::exchange(begun_, true)) watch::write_csv_heading(std::cout);
      watch::write_csv_rows(reading, std::cout);
    } else {
      watch::write_table(reading, by_, terminal_columns(kLeastColumns, kMostColumns), said_, std::cout);
    }
    // Whoever reads a pipe has each reading when it is made; that none can be written is said once, by the
    // end of the verb.
    if (!std::cout.flush())
      return fail({"cannot print readings", "the standard output takes no more", "", ExitCode::io});
    return {};
  }

 private:
  std::string format_;
  watch::Arrangement by_;
  std::vector<std::string> said_;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<TopSink> printed_readings(const std::string& format, watch::Arrangement by) {
  return std::make_unique<PrintedReadings>(format, std::move(by));
}

}  // namespace vtax
