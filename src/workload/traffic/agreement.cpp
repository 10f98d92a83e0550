#include "workload/traffic/agreement.h"

#include <fmt/format.h>

#include <span>

#include "workload/traffic/socket_io.h"

namespace vtax {
namespace {

constexpr std::byte kGo{0x67};

}  // namespace

Result<> send_totals(const Flow& flow, const FlowTask& task, const Totals& totals) {
  return send_all(flow.stream.get(), std::as_bytes(std::span(&totals, 1)), task.watchdog,
                  "say what was counted");
}

Result<Totals> receive_totals(const Flow& flow, const FlowTask& task) {
  Totals totals;
  if (Result<> got = receive_all(flow.stream.get(), std::as_writable_bytes(std::span(&totals, 1)),
                                 task.watchdog, "wait for what the other side counted");
      !got)
    return fail(got.error());
  return totals;
}

Result<> send_go(const Flow& flow, const FlowTask& task) {
  return send_all(flow.stream.get(), {&kGo, 1}, task.watchdog, "ask for the stream");
}

Result<> await_go(const Flow& flow, const FlowTask& task) {
  std::byte said{};
  if (Result<> got =
          receive_all(flow.stream.get(), {&said, 1}, task.watchdog, "wait to be asked for the stream");
      !got)
    return got;
  if (said == kGo) return {};
  return fail(Error{"wait to be asked for the stream", "the other side said something else", "",
                    ExitCode::trial_failed});
}

Error disagreement(std::string_view work, const Totals& here, const Totals& there) {
  return Error{fmt::format("{}: compare both sides' counts", work),
               fmt::format("{} bytes in {} messages here, {} in {} there", here.bytes, here.messages,
                           there.bytes, there.messages),
               "", ExitCode::trial_failed};
}

}  // namespace vtax
