#!/bin/sh
# same_twice.sh [ARGUMENTS OF vtax run]: one study by two builds of vtax that differ in where their functions lie
# alone, and what `vtax compare` says of them. From the repository's root; build/release is the first build. The
# default study is first-look, 60 cells.
set -e
bench/second_build.sh other-layout -DCMAKE_CXX_FLAGS=-falign-functions=128
[ $# -gt 0 ] || set -- first-look
build/release/vtax run "$@" --resume --out build/other-layout/a.vtax >/dev/null
build/other-layout/vtax run "$@" --resume --out build/other-layout/b.vtax >/dev/null
build/release/same_twice build/other-layout/a.vtax build/other-layout/b.vtax
