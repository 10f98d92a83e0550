// CTest shows a test program's output only when it fails, so a computer without a lab would seem to have
// passed. This code is what CTest is told to take for "skipped".

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt
  const int code = RUN_ALL_TESTS();
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  return code == 0 && all.skipped_test_count() > all.successful_test_count() ? kSkipped : code;
}
