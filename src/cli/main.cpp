#include <unistd.h>

#include "agent/init.h"

int main() {
  if (getpid() == 1) return vtax::agent::run_as_init();
  return 0;
}
