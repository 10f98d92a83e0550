#include "agent/known_work.h"

#include <fmt/format.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <utility>

#include "agent/idle_card.h"

namespace vtax::known_work {

// Not in an unnamed namespace: the symbols are what the ledger is read by.
void spin(std::uint64_t rounds);
void touch(void* pages, std::uint64_t rounds);
void call_kernel(std::uint64_t rounds);
void write_port(std::uint64_t rounds);
void read_status(const void* registers, std::uint64_t rounds);

[[gnu::noinline]] void spin(std::uint64_t rounds) {
  if (rounds == 0) return;
  asm volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds)::"cc");
}

[[gnu::noinline]] void touch(void* pages, std::uint64_t rounds) {
  if (rounds == 0) return;
  asm volatile("1: movb $1, (%0)\n\tadd $4096, %0\n\tdec %1\n\tjnz 1b"
               : "+r"(pages), "+r"(rounds)::"cc", "memory");
}

[[gnu::noinline]] void call_kernel(std::uint64_t rounds) {
  if (rounds == 0) return;
  asm volatile("1: mov %1, %%eax\n\tsyscall\n\tdec %0\n\tjnz 1b"
               : "+r"(rounds)
               : "i"(SYS_getppid)
               : "rax", "rcx", "r11", "cc", "memory");
}

[[gnu::noinline]] void write_port(std::uint64_t rounds) {
  if (rounds == 0) return;
  asm volatile("1: outb %%al, $0x80\n\tdec %0\n\tjnz 1b" : "+r"(rounds)::"cc", "memory");
}

// An e1000e card's status register lies at 8; its other bytes do not change by being read either.
[[gnu::noinline]] void read_status(const void* registers, std::uint64_t rounds) {
  if (rounds == 0) return;
  asm volatile("1: nop\n\tmovl 8(%1), %%eax\n\tnop\n\tdec %0\n\tjnz 1b"
               : "+r"(rounds)
               : "r"(registers)
               : "rax", "cc", "memory");
}

}  // namespace vtax::known_work

namespace vtax::agent {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr unsigned long kPostPort = 0x80;

}  // namespace

nlohmann::json KnownWork::to_json() const {
  return {{"loops", loops},
          {"pages", pages},
          {"system_calls", system_calls},
          {"port_accesses", port_accesses},
          {"memory_accesses", memory_accesses}};
}

Result<KnownWork> KnownWork::from(const JsonFields& fields) {
  KnownWork work;
  const Result<> known = fields.only({"loops", "pages", "system_calls", "port_accesses", "memory_accesses"});
  if (!known) return fail(known.error());
  for (const auto& [key, into, most] : {std::tuple{"loops", &work.loops, kMostLoops},
                                        {"pages", &work.pages, kMostPages},
                                        {"system_calls", &work.system_calls, kMostRounds},
                                        {"port_accesses", &work.port_accesses, kMostRounds},
                                        {"memory_accesses", &work.memory_accesses, kMostRounds}}) {
    if (!fields.has(key)) continue;
    const auto value = fields.number(key, 0, most);
    if (!value) return fail(value.error());
    *into = *value;
  }
  return work;
}

Result<PreparedWork> PreparedWork::prepare(const KnownWork& work) {
  PreparedWork prepared(work);
  if (work.pages > 0) {
    void* pages =
        mmap(nullptr, work.pages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return fail(system_error("cannot get fresh pages", errno));
    prepared.pages_ = pages;
    // A kernel without huge pages refuses, which is as good.
    static_cast<void>(madvise(pages, work.pages * kPageBytes, MADV_NOHUGEPAGE));
  }
  if (work.port_accesses > 0 && ioperm(kPostPort, 1, 1) != 0)
    return fail(system_error("cannot use port 0x80", errno));
  if (work.memory_accesses > 0) {
    const auto registers = map_idle_card();
    if (!registers) return fail(registers.error());
    prepared.registers_ = *registers;
  }
  return prepared;
}

PreparedWork::PreparedWork(PreparedWork&& other) noexcept
    : work_(other.work_),
      pages_(std::exchange(other.pages_, nullptr)),
      registers_(std::exchange(other.registers_, nullptr)) {}

PreparedWork::~PreparedWork() {
  if (pages_ != nullptr) munmap(pages_, work_.pages * kPageBytes);
  if (registers_ != nullptr) munmap(registers_, kPageBytes);
}

void PreparedWork::do_now() const {
  known_work::spin(work_.loops);
  known_work::touch(pages_, work_.pages);
  known_work::call_kernel(work_.system_calls);
  known_work::write_port(work_.port_accesses);
  known_work::read_status(registers_, work_.memory_accesses);
}

}  // namespace vtax::agent
