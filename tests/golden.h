#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace vtax {

// Compares text with tests/golden/NAME. VTAX_UPDATE_GOLDEN=1 writes the file instead: look at the difference
// before committing it.
inline void expect_golden(const std::string& actual, const std::string& name) {
  const std::string path = std::string(VTAX_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("VTAX_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream expected;
  expected << in.rdbuf();
  EXPECT_EQ(actual, expected.str()) << "differs from " << path
                                    << "; VTAX_UPDATE_GOLDEN=1 accepts what is now";
}

}  // namespace vtax
