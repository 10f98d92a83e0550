#pragma once

#include <dlfcn.h>

namespace vtax::probe {

// Sets `function` to the one of this name, which QEMU exports for its modules. Refuses a QEMU without it.
template <class Function>
void find_in_qemu(Function*& function, const char* name, void (*refuse)(const char* why)) {
  function = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  if (function == nullptr) refuse("it does not export the functions that this needs\n");
}

}  // namespace vtax::probe
