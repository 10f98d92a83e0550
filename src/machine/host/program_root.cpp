#include "machine/host/program_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "machine/host/sandbox.h"
#include "machine/host/walled_folder.h"
#include "workload/orders/program_confinement.h"

namespace vtax::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRoomFiles = 1 << 16;

Result<> add_links(lab::RootedFolder& root) {
  for (const auto& [link, target] : {std::pair{"dev/fd", "/proc/self/fd"},
                                     {"dev/stdin", "/proc/self/fd/0"},
                                     {"dev/stdout", "/proc/self/fd/1"},
                                     {"dev/stderr", "/proc/self/fd/2"}})
    if (Result<> made = root.symlink(link, target); !made) return made;
  return {};
}

Result<> add_folders(lab::RootedFolder& root, const fs::path& where) {
  // What is mounted there, must not follow them.
  for (const char* folder : {"proc", "dev", "tmp"})
    if (fs::is_symlink(fs::symlink_status(where / folder)))
      return fail({"make the program's root",
                   std::string("its files have a link in place of the folder ") + folder,
                   "leave it out of 'files'", ExitCode::usage});
  for (const char* folder :
       {"proc", "sys", "run", "root", "tmp", "dev/shm", "var/log", "var/run", "var/lib", "var/tmp"})
    if (Result<> made = root.directory(folder); !made) return made;
  for (const char* shared : {"tmp", "dev/shm"})
    if (fs::is_directory(fs::symlink_status(where / shared)) && chmod((where / shared).c_str(), 01777) != 0)
      return fail(system_error(std::string("cannot open to all the program's ") + shared, errno));
  return {};
}

}  // namespace

Result<> make_program_root(const lab::ProgramTree& files) {
  auto walled = WalledFolder::make("program", files.memory_bytes() + kProgramRoomBytes,
                                   2 * (files.files.size() + files.folders.size()) + kRoomFiles);
  if (!walled) return fail(walled.error());
  const fs::path root = walled->root();
  if (Result<> written = files.write_to(root, ProgramIds::of_this_process().first); !written) return written;
  Result<> made = add_folders(walled->inside(), root);
  if (made) made = walled->add_devices({"null", "zero", "full", "random", "urandom"});
  if (made) made = add_links(walled->inside());
  if (!made) return made;
  // Of the processes in the sandbox it shows a program those that it may look into: its own.
  if (mount("proc", (root / "proc").c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2") != 0)
    return fail(cannot_mount("proc"));
  confine_programs(walled->folder());
  return {};
}

Result<> examine_program_confinement() {
  const auto tried = run_in_sandbox(
      [](const TellStep&) -> Result<nlohmann::json> {
        if (Result<> made = make_program_root({}); !made) return fail(made.error());
        auto confinement = ProgramConfinement::make(folder_of_programs());
        if (!confinement) return fail(confinement.error());
        int gate[2];
        if (pipe2(gate, O_CLOEXEC) != 0) return fail(system_error("cannot confine a program", errno));
        const Descriptor hears(gate[0]), says(gate[1]);
        const pid_t child = fork();
        if (child == 0)
          _exit(confinement->enter(hears.get()) && ProgramConfinement::give_up_rights(0, 0) ? 0 : errno);
        if (child < 0) return fail(system_error("cannot confine a program", errno));
        static_cast<void>(confinement->let_in(child, says.get()));  // the child says more of what failed
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return nlohmann::json::object();
        Error error = system_error("cannot confine a program", WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
        error.code = ExitCode::unavailable;
        return fail(std::move(error));
      },
      [](const std::string&) {}, std::chrono::seconds(10));
  if (!tried) return fail(tried.error());
  return {};
}

}  // namespace vtax::host
