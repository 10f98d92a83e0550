#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "workload/http/head_buffer.h"
#include "workload/http/request.h"

// What a client sends: heads are found and judged, and no path leads upwards.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view data(reinterpret_cast<const char*>(bytes), size);
  vtax::http::HeadBuffer buffer(vtax::http::longest_request_head);
  std::string storage;
  while (!data.empty()) {
    std::size_t used = 0;
    std::string_view head;
    // In pieces whose sizes the data themselves decide.
    const std::string_view piece = data.substr(0, 1 + static_cast<unsigned char>(data[0]) % 64);
    const auto state = buffer.take(piece, used, head);
    if (used > piece.size()) std::abort();
    data.remove_prefix(used);
    if (state == vtax::http::HeadBuffer::State::too_long) return 0;
    if (state != vtax::http::HeadBuffer::State::complete) continue;
    const vtax::http::Request request = vtax::http::parse_request(head);
    if (request.refusal != 0) return 0;
    const std::string_view path = vtax::http::path_of(request.target, storage);
    if (!path.empty() && (path[0] != '/' || path.find("/../") != std::string_view::npos)) std::abort();
  }
  return 0;
}
