#include "tests/cluster/one_machine_slurm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "core/files.h"
#include "core/subprocess.h"

namespace vtax {
namespace {

namespace fs = std::filesystem;

// One that nobody listens on now.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port = ntohs(address.sin_port);
  ::close(socket);
  return port;
}

fs::path program(const char* name) {
  for (const char* folder : {"/usr/sbin", "/usr/bin", "/sbin", "/bin"})
    if (fs::exists(fs::path(folder) / name)) return fs::path(folder) / name;
  return {};
}

}  // namespace

OneMachineSlurm::OneMachineSlurm(fs::path folder, int cpus) : folder_(std::move(folder)) {
  for (const char* name : {"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel"})
    if (program(name).empty()) {
      missing_ = fmt::format("{} is not installed (scripts/install-dependencies --tests)", name);
      return;
    }
  if (::geteuid() != 0) {
    missing_ = "Slurm's daemons need root";
    return;
  }
  // Munge trusts a socket in folders alone that others cannot write, and whose way there all may go.
  for (const char* name : {"munge", "state", "spool"}) fs::create_directories(folder_ / name);
  fs::permissions(folder_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  fs::permissions(folder_ / "munge", fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  {
    std::ifstream random("/dev/urandom", std::ios::binary);
    std::string key(128, '\0');
    random.read(key.data(), static_cast<std::streamsize>(key.size()));
    std::ofstream(folder_ / "munge" / "key", std::ios::binary) << key;
  }
  fs::permissions(folder_ / "munge" / "key", fs::perms::owner_read);
  write_settings(cpus);
  const fs::path own = folder_ / "munge";
  munge_ = start({program("munged"), "--foreground", "--force", "--key-file=" + (own / "key").string(),
                  "--socket=" + (own / "socket").string(), "--pid-file=" + (own / "pid").string(),
                  "--log-file=" + (own / "log").string(), "--seed-file=" + (own / "seed").string()},
                 "munged.out");
  controller_ =
      start({program("slurmctld"), "-D", "-c", "-f", (folder_ / "slurm.conf").string()}, "slurmctld.out");
  start_node();
  if (!answers())
    missing_ = "Slurm did not come up here: " + last_lines(folder_ / "slurmctld.log") +
               last_lines(folder_ / "slurmd.log");
}

OneMachineSlurm::~OneMachineSlurm() {
  if (controller_ > 0 && answers())
    static_cast<void>(run_command({{"scancel", "--user=root", "--signal=KILL", "--full"}, {environment()}}));
  for (pid_t* pid : {&node_, &controller_, &munge_}) end(*pid);
}

void OneMachineSlurm::write_settings(int cpus) const {
  const std::string own = folder_.string();
  std::ofstream(folder_ / "slurm.conf") << fmt::format(R"(ClusterName=one
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
SlurmctldPort={1}
SlurmdPort={2}
AuthType=auth/munge
AuthInfo=socket={0}/munge/socket
CredType=cred/munge
StateSaveLocation={0}/state
SlurmdSpoolDir={0}/spool
SlurmctldPidFile={0}/slurmctld.pid
SlurmdPidFile={0}/slurmd.pid
SlurmctldLogFile={0}/slurmctld.log
SlurmdLogFile={0}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=localhost CPUs={3} State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
)",
                                                       own, free_port(), free_port(), cpus);
}

pid_t OneMachineSlurm::start(const std::vector<std::string>& words, const std::string& log) const {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  const fs::path out = folder_ / log;
  const std::string settings = (folder_ / "slurm.conf").string();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  const int descriptor = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  ::dup2(descriptor, STDOUT_FILENO);
  ::dup2(descriptor, STDERR_FILENO);
  ::setenv("SLURM_CONF", settings.c_str(), 1);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

void OneMachineSlurm::start_node() {
  node_ = start({program("slurmd"), "-D", "-f", (folder_ / "slurm.conf").string(), "-N", "localhost"},
                "slurmd.out");
}

void OneMachineSlurm::end(pid_t& pid) const {
  if (pid <= 0) return;
  ::kill(pid, SIGTERM);
  for (int i = 0; i < 100 && ::waitpid(pid, nullptr, WNOHANG) == 0; ++i) {
    if (i == 90) ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  pid = -1;
}

void OneMachineSlurm::restart_node() {
  end(node_);
  start_node();
}

bool OneMachineSlurm::answers() const {
  for (int i = 0; i < 100; ++i) {
    const auto state = run_command({{"sinfo", "--noheader", "--format=%T"}, {environment()}});
    if (state && state->ok() &&
        (state->out.starts_with("idle") || state->out.starts_with("mixed") ||
         state->out.starts_with("allocated")))
      return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return false;
}

}  // namespace vtax
