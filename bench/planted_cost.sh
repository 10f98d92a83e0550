#!/bin/sh
# planted_cost.sh [LOOPS [ARGUMENTS OF vtax run]]: one study by two builds of vtax, of which the second goes LOOPS
# times (500) around a loop of two instructions before each send of at most 16 bytes: in tcp-rr's requests and
# responses, in no stream. 1,000 instructions are 2 % of a transaction of 50,000. Then what `vtax compare` says of
# them. From the repository's root; build/release is the first build. The default study is first-look.
set -e
loops=${1:-500}
[ $# -eq 0 ] || shift
mkdir -p build/planted
cc -O2 -c -DLOOPS="$loops" bench/planted_send.c -o build/planted_send.o
bench/second_build.sh planted "-DCMAKE_EXE_LINKER_FLAGS=-Wl,--wrap=send $PWD/build/planted_send.o"
[ $# -gt 0 ] || set -- first-look
build/release/vtax run "$@" --resume --out build/planted/a.vtax >/dev/null
build/planted/vtax run "$@" --resume --out build/planted/b.vtax >/dev/null
build/release/planted_cost build/planted/a.vtax build/planted/b.vtax
