#include "workload/measure/marker.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace vtax {
namespace {

std::string own_code() {
  // Keeps the code in the program.
  marker::begin_window();
  marker::end_window();
  marker::progress(1, 2, 3);
  for (int domain = -1; domain <= marker::kMostDomains; ++domain) marker::announce(domain);
  std::ifstream file("/proc/self/exe", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string marker_bytes(std::uint32_t identity) {
  std::string bytes("\x0f\x1f\x84\x00", 4);
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<char>(identity >> shift & 0xff));
  return bytes;
}

TEST(Marker, TheExactBytesAreInTheCode) {
  const std::string code = own_code();
  for (const std::uint32_t identity :
       {0x56540100U, 0x56540101U, 0x56540102U, 0x56540000U, 0x56540001U, 0x56540007U}) {
    EXPECT_NE(code.find(marker_bytes(identity)), std::string::npos) << std::hex << identity;
  }
}

}  // namespace
}  // namespace vtax
