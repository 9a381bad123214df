#!/bin/sh
# Runs tests/board on a board: ./tests/board/run.sh SOC [MARKERS]
#
# With ../shared/board, that is an emulated one with the vendor's real package over a simulated
# library; its root file system is built once, in build/board. Without, it is this machine.
set -eu
cd "$(dirname "$0")/../.."
soc=${1:-rk3588}
markers=${2:-board}
shared=../shared
if [ ! -x $shared/board/run-board.sh ]; then
    exec .venv/bin/pytest tests/board -m "$markers"
fi
export BOARD_DIR="$PWD/build/board"
mkdir -p "$BOARD_DIR"
if [ ! "$BOARD_DIR/root.img" -nt pyproject.toml ]; then
    # What pyproject.toml asks for on a board, its markers cut off: they are for the board.
    wheels=$(sed -n '/^dependencies = \[/,/^\]/s/^ *"\([^";]*\).*/\1/p' pyproject.toml)
    # shellcheck disable=SC2086
    $shared/board/make-rootfs.sh $wheels pytest pytest-timeout pip
fi
command -v aarch64-linux-gnu-gcc > /dev/null || {
    echo "the libraries need a cross compiler: apt install gcc-aarch64-linux-gnu" >&2
    exit 2
}
rm -rf build/simnpu
cp -r $shared/simnpu build/simnpu
make -s -C build/simnpu aarch64
# As setup.py does on a board; the emulated one has no compiler.
mkdir -p build/aarch64
aarch64-linux-gnu-gcc -O3 -ffp-contract=off -shared -fPIC \
    -o build/aarch64/libarea.so workers/images/area.c
# Rendering there takes seconds an image: done here.
.venv/bin/npu-farm render build/fifty -n 50
zoo=
if [ -f $shared/data/detect/lpd-yolov8n-rk3588.rknn ]; then
    mkdir -p build/zoo
    cp $shared/data/detect/lpd-yolov8n-rk3588.rknn build/zoo
    zoo="--copy build/zoo:/zoo --env ZOO=/zoo/lpd-yolov8n-rk3588.rknn"
fi
# shellcheck disable=SC2086
exec $shared/board/run-board.sh --soc "$soc" --project . --timeout 1800 \
    --lib build/simnpu/build/aarch64/librknnrt.so --copy build/fifty:/fifty \
    --copy build/aarch64:/project/workers/images --env FIFTY=/fifty $zoo \
    -- python3 -m pytest -p no:cacheprovider tests/board -m "$markers"
