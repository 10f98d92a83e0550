#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workload/iperf3/results.h"

// What an iperf3 client asks for, and what either side says at the end: refused, or within every limit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto fields = vtax::JsonFields::parse("read it", text);
  if (!fields) return 0;
  const auto test = vtax::iperf3::Parameters::from(*fields);
  if (test && (!test->check() || test->streams() > 256)) std::abort();
  vtax::iperf3::Parameters two;
  two.parallel = 2;
  const auto results = vtax::iperf3::Results::from(*fields, two);
  if (!results) return 0;
  if (results->streams.size() != 2) std::abort();
  for (const auto& one : results->streams)
    if (one.lost > one.packets || one.seconds < 0) std::abort();
  return 0;
}
