#pragma once

#include "workload/traffic/agreement.h"
#include "workload/traffic/generator.h"

namespace vtax {

// Payload in one direction: whichever side is to send does, and the one that waits for it asks first.
class StreamGenerator : public Generator {
 public:
  Result<> initiate(const Flow& flow, const FlowTask& task) override {
    if (task.sends) return send_stream(flow, task);
    if (Result<> asked = send_go(flow, task); !asked) return asked;
    return receive_stream(flow, task);
  }

  Result<> respond(const Flow& flow, const FlowTask& task) override {
    if (!task.sends) return receive_stream(flow, task);
    if (Result<> asked = await_go(flow, task); !asked) return asked;
    return send_stream(flow, task);
  }

 private:
  virtual Result<> send_stream(const Flow& flow, const FlowTask& task) = 0;
  virtual Result<> receive_stream(const Flow& flow, const FlowTask& task) = 0;
};

}  // namespace vtax
