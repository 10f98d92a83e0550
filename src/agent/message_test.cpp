#include "agent/message.h"

#include <gtest/gtest.h>

namespace vtax::agent {
namespace {

TEST(Message, IsOneLineWithLengthAndChecksum) {
  // CRC-32 of "{}": python3 -c 'import zlib; print("%08x" % zlib.crc32(b"{}"))'
  EXPECT_EQ(frame("ready", nlohmann::json::object()), "@vtax ready 2 a3a6bf43 {}\n");
}

TEST(Message, LineEndsAndBadTextInsideAreEscaped) {
  const std::string line = frame("error", {{"what", "a\nb"}, {"why", "\xff\xfe"}});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  for (const char c : line) EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

}  // namespace
}  // namespace vtax::agent
