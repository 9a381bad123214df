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
. tests/board/prepare.sh
on_board --soc "$soc" -- python3 -m pytest -p no:cacheprovider tests/board -m "$markers"
