#include "machine/lab/emulator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/anonymous_file.h"
#include "core/files.h"
#include "core/interruption.h"
#include "machine/guest_result.h"
#include "machine/lab/emulator_process.h"
#include "machine/lab/xen_loader.h"

namespace vtax::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kPlanBytes = 64U << 10;
constexpr std::size_t kConsoleBytes = 64U << 10;
constexpr std::size_t kWordsLines = 40;  // a dump of a CPU's registers, and why it was made
constexpr std::size_t kMaxMonitorLine = 1U << 20;
// A running machine executes timer ticks at least; one that takes no CPU time for so long is dead.
constexpr seconds kSilence{60};
// What an emulator takes in that time that waits for nothing to come.
constexpr milliseconds kNoWork{10};
// The firmware copies the path that Xen's loader has, so it is as long in every machine.
constexpr int kLoaderDescriptor = 100;
constexpr milliseconds kPoll{100};
// A console holds few characters: more at once, and some are lost.
constexpr std::size_t kTyped = 16;
constexpr milliseconds kTypingPause{10};
constexpr char kEscape = 0x1d;  // Ctrl-]
constexpr std::string_view kEndOfFile = "\x04";
constexpr int kEndOfFileEvery = 50;  // pauses

// Reads what is there now; false at the end of the stream.
bool drain(int fd, std::string& into) {
  std::array<char, 16384> buffer{};
  while (true) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }
}

// The last lines that say something, without what would steer a terminal.
std::string tail_of(std::string_view text, std::size_t lines) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::size_t begin = text.size();
  while (lines-- > 0 && begin != std::string_view::npos && begin > 0) begin = text.rfind('\n', begin - 1);
  if (begin == std::string_view::npos) begin = 0;
  std::string out;
  for (const char c : text.substr(begin))
    if (c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) out += c;
  return out.empty() ? "(none)" : out;
}

// "2026-01-01" or "2026-01-01T00:01:02".
std::chrono::sys_seconds date_of_boot(const std::string& date) {
  tm parts{};
  if (strptime(date.c_str(), date.find('T') == std::string::npos ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S",
               &parts) == nullptr)
    return {};
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

std::string settings_with_bounds(const Wiring& wiring) {
  std::string settings = wiring.probe_settings;
  if (wiring.bounds.instructions > 0) settings += fmt::format("limit {}\n", wiring.bounds.instructions);
  if (const auto ns = wiring.bounds.virtual_time.count(); ns > 0)
    settings += fmt::format("limit_ns {}\n", ns);
  return settings;
}

}  // namespace

Result<std::unique_ptr<Emulator>> Emulator::start(const MachineSpec& spec, const Wiring& wiring) {
  if (wiring.plan.size() > kPlanBytes)
    return fail({"cannot start the machine", "the trial's plan is longer than 64 KiB", "", ExitCode::usage});
  std::unique_ptr<Emulator> self(new Emulator);
  self->runs_xen_ = !spec.xen.empty();
  std::vector<std::string> arguments = machine_arguments(spec);

  std::array<int, 2> sockets{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0)
    return fail(system_error("cannot make the monitor's socket", errno));
  self->monitor_ = Descriptor(sockets[0]);
  const Descriptor monitor_end(sockets[1]);
  fcntl(sockets[0], F_SETFL, O_NONBLOCK);

  auto messages = make_pipe();
  auto console = make_pipe();
  auto words = make_pipe();
  auto typed = make_pipe();
  std::string plan = wiring.plan;
  plan.resize(kPlanBytes, ' ');
  auto plan_file = anonymous_file("vtax-plan", text_bytes(plan));
  auto probe = ProbeFile::make(settings_with_bounds(wiring));
  if (!messages) return fail(messages.error());
  if (!console) return fail(console.error());
  if (!words) return fail(words.error());
  if (!typed) return fail(typed.error());
  if (!plan_file) return fail(plan_file.error());
  if (!probe) return fail(probe.error());

  const auto add = [&](std::initializer_list<std::string> words) {
    arguments.insert(arguments.end(), words);
  };
  const int message_end = messages->write.get();
  const int console_end = console->write.get();
  add({"-chardev", fmt::format("socket,id=monitor,fd={}", sockets[1]), "-mon",
       "chardev=monitor,mode=control"});
  add({"-chardev", fmt::format("file,id=messages,path=/proc/self/fd/{}", message_end), "-device",
       "isa-debugcon,iobase=0xe9,chardev=messages"});
  std::string console_device = fmt::format("file,id=console,path=/proc/self/fd/{}", console_end);
  if (wiring.console_input) console_device += fmt::format(",input-path=/proc/self/fd/{}", typed->read.get());
  add({"-chardev", console_device, "-serial", "chardev:console"});
  add({"-fw_cfg", fmt::format("name=opt/vtax/plan,file=/proc/self/fd/{}", plan_file->get())});
  std::vector<int> inherited = {sockets[1], message_end, console_end, plan_file->get()};
  if (wiring.console_input) inherited.push_back(typed->read.get());
  if (spec.joint) {
    inherited.push_back(spec.joint->memory);
    inherited.insert(inherited.end(), spec.joint->sockets.begin(), spec.joint->sockets.end());
  }
  if (!wiring.probe.empty()) {
    add({"-plugin", fmt::format("{},out={},settings={}", wiring.probe.string(), probe->out().get(),
                                probe->settings().get())});
    inherited.push_back(probe->out().get());
    inherited.push_back(probe->settings().get());
  }
  if (wiring.state_fd >= 0) {
    lseek(wiring.state_fd, 0, SEEK_SET);
    add({"-incoming", "defer"});
    inherited.push_back(wiring.state_fd);
  } else {
    arguments.emplace_back("-S");  // it listens to the monitor first
  }

  Descriptor loader;
  if (!spec.xen.empty()) {
    auto xen = load_xen(spec);
    if (!xen) return fail(xen.error());
    auto program = anonymous_file("vtax-xen-loader", text_bytes(xen->program));
    if (!program) return fail(program.error());
    loader = Descriptor(fcntl(program->get(), F_DUPFD_CLOEXEC, kLoaderDescriptor));
    if (!loader.valid()) return fail(system_error("cannot hand Xen to the machine", errno));
    inherited.push_back(loader.get());
    add({"-kernel", fmt::format("/proc/self/fd/{}", loader.get())});
    if (wiring.state_fd < 0) arguments.insert(arguments.end(), xen->devices.begin(), xen->devices.end());
  }

  auto qemu = qemu_with_libraries(spec, wiring.state_fd >= 0 || !wiring.probe.empty());
  if (!qemu) return fail(qemu.error());
  auto pid = start_process(*qemu, arguments, inherited, words->write.get());
  if (!pid) return fail(pid.error());
  self->pid_ = *pid;
  self->process_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  self->messages_fd_ = std::move(messages->read);
  self->console_fd_ = std::move(console->read);
  self->words_fd_ = std::move(words->read);
  if (wiring.console_input) self->console_input_ = std::move(typed->write);
  self->plan_ = std::move(*plan_file);
  self->probe_ = std::move(*probe);
  self->stopped_ = true;
  self->cpu_bound_ = wiring.bounds.cpu_time;
  if (wiring.state_fd < 0 && !spec.real_time) {
    self->clock_bound_ = wiring.bounds.virtual_time;
    self->boot_date_ = date_of_boot(spec.date);
  }

  if (auto greeted = self->command("qmp_capabilities"); !greeted) return fail(greeted.error());
  if (wiring.state_fd < 0) {
    if (auto going = self->resume(); !going) return fail(going.error());
    return self;
  }
  // A resumed QEMU would announce its cards on the host's clock, and the packets would reach the guest.
  if (auto set = self->command("migrate-set-parameters", {{"announce-rounds", 0}}); !set)
    return fail(set.error());
  const std::string uri = fmt::format("file:/proc/self/fd/{}", wiring.state_fd);
  if (auto loading = self->command("migrate-incoming", {{"uri", uri}}); !loading)
    return fail(loading.error());
  return self;
}

Emulator::~Emulator() {
  if (pid_ < 0 || ended_) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

Result<> Emulator::pump(milliseconds timeout) {
  if (interrupted()) return fail(interruption_error());
  std::array<pollfd, 6> watched = {{{monitor_.get(), POLLIN, 0},
                                    {messages_fd_.get(), POLLIN, 0},
                                    {console_fd_.get(), POLLIN, 0},
                                    {words_fd_.get(), POLLIN, 0},
                                    {process_.get(), POLLIN, 0},
                                    {interruption_fd(), POLLIN, 0}}};
  if (poll(watched.data(), watched.size(), static_cast<int>(timeout.count())) < 0 && errno != EINTR)
    return fail(system_error("cannot wait for the machine", errno));

  // The process's end is looked at first, so that what it had written before is read below.
  int status = 0;
  if (!ended_ && waitpid(pid_, &status, WNOHANG) == pid_) {
    ended_ = true;
    status_ = status;
  }
  drain(monitor_.get(), monitor_text_);
  take_monitor_lines();
  std::string text;
  drain(messages_fd_.get(), text);
  show(console_fd_.get(), console_);
  show(words_fd_.get(), words_);
  return messages_.feed(text);
}

void Emulator::show(int from, std::string& kept) const {
  std::string shown;
  drain(from, shown);
  if (on_console && !shown.empty()) on_console(shown);
  kept += shown;
  if (kept.size() > kConsoleBytes) kept.erase(0, kept.size() - kConsoleBytes);
}

void Emulator::take_monitor_lines() {
  std::size_t end = 0;
  while ((end = monitor_text_.find('\n')) != std::string::npos) {
    auto line = nlohmann::json::parse(monitor_text_.substr(0, end), nullptr, false);
    monitor_text_.erase(0, end + 1);
    if (!line.is_object()) continue;
    const bool is_reply = line.contains("return") || line.contains("error");
    if (is_reply && unawaited_ > 0) {
      --unawaited_;
      if (line.contains("error"))
        refused_ = line["error"].value("desc", "it does not say why");
      else
        take_clock(line["return"]);
    } else if (is_reply)
      replies_.push_back(std::move(line));
    else if (line.value("event", "") == "STOP")
      stopped_ = true;
    else if (line.value("event", "") == "RESUME")
      stopped_ = false;
  }
  if (monitor_text_.size() > kMaxMonitorLine) monitor_text_.clear();
}

// The machine's own clock is its real-time clock, which began at the date of the boot; reading it changes
// nothing that the guest sees.
Result<> Emulator::ask_for_clock() {
  if (clock_bound_.count() == 0 || unawaited_ > 0) return {};
  ++unawaited_;
  return send_command("qom-get", {{"path", "/machine"}, {"property", "rtc-time"}});
}

// As C's struct tm has it.
void Emulator::take_clock(const nlohmann::json& reply) {
  if (!reply.is_object() || !reply.contains("tm_year")) return;
  const auto part = [&](const char* name) { return reply.value(name, 0); };
  using namespace std::chrono;
  const year_month_day date(year(1900 + part("tm_year")), month(static_cast<unsigned>(1 + part("tm_mon"))),
                            day(static_cast<unsigned>(part("tm_mday"))));
  if (!date.ok()) return;
  const sys_seconds now =
      sys_days(date) + hours(part("tm_hour")) + minutes(part("tm_min")) + seconds(part("tm_sec"));
  clock_ = now - boot_date_;
}

Error Emulator::died(std::string why) const {
  std::string next = "the machine's last lines:\n" + console_tail();
  if (!words_.empty()) next = "the emulator's own words:\n" + tail_of(words_, kWordsLines) + "\n  " + next;
  return {"the machine did not finish", std::move(why), std::move(next), ExitCode::trial_failed};
}

Error Emulator::over(const std::string& bound) const {
  Error error = died(bound + ", and it is not done");
  error.next =
      "it hangs, or its work is too much for one trial: run it again by --resume, with less work "
      "(`vtax list workloads`), or with machines booted anew (`vtax lab clean`)\n  " +
      error.next;
  return error;
}

namespace {

// Xen then waits five seconds before it reboots: by its own clock, and in a loop of `pause`, behind which the
// emulator gives each other CPU a turn. That takes many minutes.
bool xen_gave_up(std::string_view console) {
  for (const std::string_view words : {"\n(XEN) Hardware Dom0 crashed", "\n(XEN) Reboot in five seconds"})
    if (console.find(words) != std::string_view::npos) return true;
  return false;
}

}  // namespace

Result<> Emulator::check_alive() {
  if (!ended_ && runs_xen_ && xen_gave_up(console_)) return fail(died("Xen or its Domain-0 panicked"));
  if (ended_) {
    const ProbeStatus status = probe_.status();
    if (status.state == probe::State::limit_reached) return fail(over(status.message));
    if (status.state == probe::State::failed) return fail(died(status.message));
    if (WIFSIGNALED(status_)) return fail(died("the emulator was killed by " + signal_text(status_, pid_)));
    if (WEXITSTATUS(status_) == 127) return fail(died("the emulator could not be started"));
    if (WEXITSTATUS(status_) != 0)
      return fail(died(fmt::format("the emulator ended with code {}", WEXITSTATUS(status_))));
    return fail(died("it powered off or panicked before it had an answer"));
  }
  if (!refused_.empty()) return fail(died("the emulator refused to go on: " + refused_));
  if (stopped_) return {};
  const auto now = std::chrono::steady_clock::now();
  const auto spent = cpu_time_of(pid_);
  if (cpu_bound_ > seconds(0) && spent - cpu_from_ > cpu_bound_)
    return fail(
        over(fmt::format("its bound of {} s of the emulator's CPU time was reached", cpu_bound_.count())));
  if (on_wait && now - waits_from_ >= (steps_told_ + 1) * wait_step) {
    steps_told_ = static_cast<int>((now - waits_from_) / wait_step);
    on_wait({now - waits_from_, spent - cpu_from_, cpu_bound_, clock_});
  }
  if (spent - cpu_from_ >= (clock_steps_ + 1) * clock_step) {
    ++clock_steps_;
    if (auto asked = ask_for_clock(); !asked) return asked;
  }
  if (clock_ && *clock_ > clock_bound_)
    return fail(
        over(fmt::format("its bound of {} s by its own clock was reached", clock_bound_ / seconds(1))));
  if (is_beside_) return {};  // it waits as long as others work
  auto spent_by_all = spent;
  for (const auto& [name, other] : beside) spent_by_all += cpu_time_of(other->pid_);
  if (spent_by_all - spent_at_progress_ >= kNoWork) {
    spent_at_progress_ = spent_by_all;
    last_progress_ = now;
  }
  if (now - last_progress_ > kSilence)
    return fail(died("it has executed nothing for a minute: every CPU is halted"));
  return {};
}

Result<> Emulator::send_command(const std::string& name, nlohmann::json arguments) {
  const nlohmann::json request = {{"execute", name}, {"arguments", std::move(arguments)}};
  const std::string text = request.dump() + "\n";
  if (send(monitor_.get(), text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    if (auto pumped = pump(milliseconds(200)); !pumped) return fail(pumped.error());
    return fail(died("the emulator does not listen"));
  }
  return {};
}

Result<nlohmann::json> Emulator::command(const std::string& name, nlohmann::json arguments) {
  if (auto sent = send_command(name, std::move(arguments)); !sent) return fail(sent.error());
  while (replies_.empty()) {
    if (auto pumped = pump(kPoll); !pumped) return fail(pumped.error());
    if (ended_ && replies_.empty()) {
      if (auto alive = check_alive(); !alive) return fail(alive.error());
    }
  }
  nlohmann::json reply = std::move(replies_.front());
  replies_.pop_front();
  if (reply.contains("error"))
    return fail(died(fmt::format("the emulator refused '{}': {}", name, reply["error"].value("desc", ""))));
  return reply["return"];
}

Result<GuestMessage> Emulator::next_message() {
  while (true) {
    while (auto message = messages_.next()) {
      if (message->type != "progress") return std::move(*message);
      if (on_progress) on_progress(message->json);
    }
    if (auto alive = check_alive(); !alive) return fail(alive.error());
    for (const auto& [name, other] : beside)
      if (auto well = other->look(name); !well) return fail(well.error());
    if (auto pumped = pump(kPoll); !pumped) return fail(pumped.error());
  }
}

Result<> Emulator::look(const std::string& name) {
  const auto as_beside = [&](Error error) {
    error.what = fmt::format("in {}: {}", name, error.what);
    return fail(std::move(error));
  };
  is_beside_ = true;
  if (auto pumped = pump(milliseconds(0)); !pumped) return as_beside(pumped.error());
  while (auto message = messages_.next())
    if (message->type == "error") return as_beside(with_console(read_guest_error(message->json)));
  if (auto alive = check_alive(); !alive) return as_beside(alive.error());
  return {};
}

Result<ProbeWindow> Emulator::next_probe_window() {
  return probe_.next_window();
}

void Emulator::grant_anew() {
  steps_told_ = clock_steps_ = 0;
  cpu_from_ = cpu_time_of(pid_);
  waits_from_ = std::chrono::steady_clock::now();
}

Result<> Emulator::wait_until_stopped() {
  while (!stopped_) {
    if (auto alive = check_alive(); !alive) return alive;
    if (auto pumped = pump(kPoll); !pumped) return pumped;
  }
  return {};
}

Result<> Emulator::save(const std::string& path) {
  auto set = command("migrate-set-parameters", {{"max-bandwidth", std::uint64_t{1} << 40}});
  if (!set) return fail(set.error());
  if (auto begun = command("migrate", {{"uri", "file:" + path}}); !begun) return fail(begun.error());
  while (true) {
    auto progress = command("query-migrate");
    if (!progress) return fail(progress.error());
    const std::string status = progress->value("status", "");
    if (status == "completed") return {};
    if (status == "failed" || status == "cancelled") {
      Error error = died(progress->value("error-desc", "it could not be saved"));
      error.what = "cannot save the booted machine";
      error.next = "free some space in the cache (`vtax lab clean`) and run the same command again";
      error.code = ExitCode::io;
      return fail(error);
    }
    if (auto pumped = pump(milliseconds(10)); !pumped) return pumped;
  }
}

Result<> Emulator::resume() {
  while (true) {
    auto status = command("query-status");
    if (!status) return fail(status.error());
    if (status->value("status", "") != "inmigrate") break;
    if (auto pumped = pump(milliseconds(5)); !pumped) return pumped;
  }
  stopped_ = false;
  last_progress_ = std::chrono::steady_clock::now();
  // A busy machine lets the monitor answer only when it first sleeps.
  ++unawaited_;
  return send_command("cont", nlohmann::json::object());
}

Result<> Emulator::type(std::string_view keys) {
  if (!keys.empty() && write(console_input_.get(), keys.data(), keys.size()) < 0 && errno != EPIPE)
    return fail(system_error("cannot type into the machine", errno));
  return {};
}

Result<> Emulator::converse(int input) {
  bool ready = false, open = true;
  int pauses = 0;
  while (!ended_) {
    while (auto message = messages_.next()) {
      if (message->type == "error") return fail(read_guest_error(message->json));
      if (message->type == "ready") ready = true;
    }
    pollfd typed{input, POLLIN, 0};
    if (ready && open && poll(&typed, 1, 0) > 0) {
      std::array<char, kTyped> text{};
      const ssize_t got = read(input, text.data(), text.size());
      const std::string_view keys(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      if (keys.find(kEscape) != std::string_view::npos) return {};
      open = got > 0;
      if (auto done = type(keys); !done) return done;
    }
    // The shell drops what was typed ahead when it sets its terminal up, so its end is said more than once.
    if (ready && !open && pauses++ % kEndOfFileEvery == 0) {
      if (auto done = type(kEndOfFile); !done) return done;
    }
    if (auto pumped = pump(kTypingPause); !pumped) return pumped;
  }
  if (!ready) return check_alive();
  return {};
}

Result<> Emulator::wait_until_ended() {
  while (!ended_) {
    if (auto pumped = pump(kPoll); !pumped) return pumped;
    if (!ended_) {
      if (auto alive = check_alive(); !alive) return alive;
    }
  }
  return {};
}

bool Emulator::crashed() const {
  constexpr int kNotStarted = 127;
  return ended_ &&
         (WIFSIGNALED(status_) || (WEXITSTATUS(status_) != 0 && WEXITSTATUS(status_) != kNotStarted));
}

Error Emulator::with_console(Error error) const {
  error.next = "the machine's last lines:\n" + console_tail();
  return error;
}

std::string Emulator::console_tail(std::size_t lines) const {
  return tail_of(console_, lines);
}

}  // namespace vtax::lab
