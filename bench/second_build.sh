#!/bin/sh
# second_build.sh NAME [CMAKE ARGUMENTS]: another build of vtax in build/NAME, of the preset `release`; for
# same_twice.sh and planted_cost.sh.
set -e
name=$1
shift
cmake --preset release -B "build/$name" "$@" >/dev/null
cmake --build "build/$name" --target vtax vtax_lab_parts
