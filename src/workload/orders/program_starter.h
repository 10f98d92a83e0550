#pragma once

#include <string>
#include <string_view>

namespace vtax {

// Which other file the kernel starts a program by (execve(2)): the interpreter of a script ("#!/bin/sh -e"),
// the dynamic linker of an ELF file for 64 bits (PT_INTERP). Empty: none, or none is said there.
// `head`: the first bytes of its file, of which the kernel itself looks at 256 and 4096.
[[nodiscard]] std::string starter_of(std::string_view head);

// The same of a file of the program's; empty where it is its own or is there, too.
[[nodiscard]] std::string missing_starter(const std::string& program);

}  // namespace vtax
