// A cost that is known to the instruction, in place of send() (planted_cost.sh): the linker's --wrap=send.
#include <stddef.h>
#include <sys/types.h>

ssize_t __real_send(int descriptor, const void* data, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void* data, size_t length, int flags);

ssize_t __wrap_send(int descriptor, const void* data, size_t length, int flags) {
  const size_t most_of_a_request = 16;
  if (length <= most_of_a_request) {
    unsigned long left = LOOPS;
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(left) : : "cc");
  }
  return __real_send(descriptor, data, length, flags);
}
