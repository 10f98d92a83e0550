#include "agent/entry.h"

int main(int argument_count, char** arguments) {
  if (const auto code = vtax::agent::run_by_circumstance(argument_count, arguments)) return *code;
  return 0;
}
