#!/bin/sh
# A few of the tests of tests/board on one emulated SoC, with the Debian packages that it takes.
#
# Where the emulator or the packages can't be had, it says so and is no failure: it is for machines
# that test every change.
set -eu
cd "$(dirname "$0")/../.."
packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm device-tree-compiler cpio kmod
          e2fsprogs"
skip() {
    echo "board-ci: SKIPPED: $1"
    exit 0
}
[ -x ../shared/board/run-board.sh ] || skip "no ../shared/board here"
for program in aarch64-linux-gnu-gcc qemu-system-aarch64 fdtput cpio depmod mke2fs; do
    command -v $program > /dev/null || missing=yes
done
if [ -n "${missing:-}" ]; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } \
        > /dev/null 2>&1 || skip "apt-get can't install $(echo $packages)"
fi
exec tests/board/run.sh rk3588 "board and short"
