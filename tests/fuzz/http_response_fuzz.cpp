#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workload/http/response_parser.h"

// What a server sends: the same in one piece and in many.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view data(reinterpret_cast<const char*>(bytes), size);
  vtax::http::ResponseParser whole, pieces;
  const std::size_t used = whole.feed(data);
  if (used > size) std::abort();
  std::size_t at = 0;
  while (at < size && !pieces.done() && !pieces.bad())
    at += pieces.feed(data.substr(at, 1 + static_cast<unsigned char>(data[at]) % 16));
  if (at != used || pieces.state() != whole.state() || pieces.content() != whole.content() ||
      pieces.status() != whole.status() || pieces.keep_alive() != whole.keep_alive())
    std::abort();
  whole.end();
  return 0;
}
