#include "machine/guest_result.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace vtax::lab {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxText = 2000;
constexpr std::size_t kMaxOutput = 16 << 10;
constexpr std::size_t kMaxPath = 512;
constexpr std::size_t kMaxRows = 1000;
// Modules of a kernel that clang built with LTO have a section for each function, and a machine five kernels.
constexpr std::size_t kMaxSections = 8192, kMaxSectionName = 512;
constexpr int kMostCpus = 64;

// Collects the first thing that is wrong, so that the reading below stays flat.
class Fields {
 public:
  std::uint64_t number(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return wrong(key), 0;
    return found->get<std::uint64_t>();
  }

  std::string name(const json& object, const char* key, std::size_t longest = kMaxName) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) return wrong(key), "";
    auto text = found->get<std::string>();
    const bool printable =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (text.empty() || text.size() > longest || !printable) wrong(key);
    return text;
  }

  GuestAddress address(const json& object, const char* key) {
    const std::string text = name(object, key);
    std::uint64_t value = 0;
    const std::string_view digits = std::string_view(text).substr(std::min<std::size_t>(2, text.size()));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (!text.starts_with("0x") || error != std::errc() || end != digits.data() + digits.size()) wrong(key);
    return GuestAddress(value);
  }

  // Whose it is.
  template <class Code>
  Code code_of(const json& object) {
    Code code;
    if (object.value("domain", json()) != "") code.domain = name(object, "domain");
    const json cpu = object.value("cpu", json());
    if (!cpu.is_number_integer() || cpu.get<int>() < -1 || cpu.get<int>() >= kMostCpus)
      wrong("cpu");
    else if (cpu.get<int>() >= 0)
      code.cpu = cpu.get<int>();
    return code;
  }

  ProgramCode code(const json& object) {
    auto code = code_of<ProgramCode>(object);
    code.file = path(object, "file");
    if (object.value("called", json()) != "") code.called = name(object, "called");
    code.begin = address(object, "begin");
    code.end = address(object, "end");
    code.offset = address(object, "offset").value;
    return code;
  }

  RunTimeCode run_time_code(const json& object) {
    auto code = code_of<RunTimeCode>(object);
    code.left_out = number(object, "left_out");
    const auto found = object.find("functions");
    if (found == object.end() || !found->is_string()) return wrong("functions"), code;
    read_run_time_functions(found->get_ref<const std::string&>(), code.functions);
    return code;
  }

  // A whole one that stays below its root.
  std::string path(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) return wrong(key), "";
    auto text = found->get<std::string>();
    const bool is_harmless =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
    if (!text.starts_with('/') || text.size() > kMaxPath || !is_harmless ||
        text.find("/../") != std::string::npos || text.ends_with("/.."))
      wrong(key);
    return text;
  }

  const json& array(const json& object, const char* key, std::size_t most = kMaxRows) {
    static const json empty = json::array();
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array() || found->size() > most) return wrong(key), empty;
    return *found;
  }

  void wrong(const char* key) {
    if (first.empty()) first = key;
  }

  std::string first;
};

std::string printable(const json& object, const char* key, std::size_t longest = kMaxText) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return "";
  std::string out;
  for (const char c : found->get<std::string>().substr(0, longest))
    if (c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) out += c;
  return out;
}

}  // namespace

Result<GuestResult> read_guest_result(const std::string& text) {
  return guest_result_from(json::parse(text, nullptr, false));
}

Result<GuestResult> guest_result_from(const json& message) {
  const auto damaged = [](const std::string& why) {
    return fail(
        {"cannot understand the machine's result", why, "run the trial again", ExitCode::trial_failed});
  };
  if (!message.is_object()) return damaged("it is no JSON object");
  GuestResult result;
  Fields fields;
  result.window_virtual_ns = fields.number(message, "window_virtual_ns");
  if (message.contains("tsc_ticks")) result.tsc_ticks = fields.number(message, "tsc_ticks");
  const json work = message.value("work", json::object());
  if (!work.is_object()) return damaged("its field 'work' is no object");
  result.work.bytes = Bytes(fields.number(work, "bytes"));
  result.work.packets = Packets(fields.number(work, "packets"));
  result.work.transactions = Transactions(fields.number(work, "transactions"));
  for (const json& device : fields.array(message, "devices")) {
    if (!device.is_object()) return damaged("a device is no object");
    DeviceCount count;
    count.side = fields.name(device, "side");
    count.domain = fields.name(device, "domain");
    count.device = fields.name(device, "device");
    count.received = Packets(fields.number(device, "received"));
    count.sent = Packets(fields.number(device, "sent"));
    count.received_bytes = Bytes(fields.number(device, "received_bytes"));
    count.sent_bytes = Bytes(fields.number(device, "sent_bytes"));
    result.devices.push_back(std::move(count));
  }
  static const json none = json::array();
  for (const json& guest : message.contains("guests") ? fields.array(message, "guests") : none) {
    if (!guest.is_object()) return damaged("a guest's work is no object");
    result.guests.push_back({fields.name(guest, "guest"), Bytes(fields.number(guest, "bytes")),
                             Transactions(fields.number(guest, "transactions")),
                             fields.number(guest, "virtual_ns")});
  }
  for (const json& module : fields.array(message, "modules", kMaxSections)) {
    if (!module.is_object()) return damaged("a module is no object");
    result.modules[{fields.name(module, "domain"), fields.name(module, "module")}]
                  [fields.name(module, "section", kMaxSectionName)] = fields.address(module, "address");
  }
  for (const json& code : message.contains("mapped") ? fields.array(message, "mapped") : none) {
    if (!code.is_object()) return damaged("a program's code is no object");
    result.program.push_back(fields.code(code));
  }
  for (const json& code : message.contains("run_time") ? fields.array(message, "run_time") : none) {
    if (!code.is_object()) return damaged("what a program made is no object");
    result.run_time.push_back(fields.run_time_code(code));
  }
  if (message.contains("output")) result.output = printable(message, "output", kMaxOutput);
  if (!fields.first.empty()) return damaged("its field '" + fields.first + "' is missing or wrong");
  return result;
}

Error read_guest_error(const std::string& text) {
  const json message = json::parse(text, nullptr, false);
  Error error{"the trial failed inside the machine", "", "", ExitCode::trial_failed};
  if (!message.is_object()) return error;
  if (std::string what = printable(message, "what"); !what.empty())
    error.what = "inside the machine: " + what;
  error.why = printable(message, "why");
  return error;
}

}  // namespace vtax::lab
