#include "machine/lab/emulator_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace vtax::lab {

Result<Descriptor> anonymous_file(const char* name, const std::string& content) {
  Descriptor file(memfd_create(name, MFD_CLOEXEC));
  if (!file.valid())
    return fail(system_error(fmt::format("cannot make the anonymous file '{}'", name), errno));
  if (write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    return fail(system_error(fmt::format("cannot fill the anonymous file '{}'", name), errno));
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(system_error("cannot make a pipe", errno));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<int> start_process(const Qemu& qemu, const std::vector<std::string>& arguments,
                          const std::vector<int>& inherited, int output) {
  std::vector<std::string> words = {qemu.binary.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = {"PATH=/usr/bin:/bin", "HOME=/"};
  variables.insert(variables.end(), qemu.environment.begin(), qemu.environment.end());
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail(system_error("cannot start " + qemu.binary.string(), errno));
  if (pid > 0) return pid;

  // The child: only async-signal-safe calls. Its own process group, so that Ctrl-C reaches vtax alone.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(output, 1);
  dup2(output, 2);
  for (const int fd : inherited) fcntl(fd, F_SETFD, 0);
  signal(SIGPIPE, SIG_DFL);
  execve(argv[0], argv.data(), environment.data());
  _exit(127);
}

}  // namespace vtax::lab
