# What an emulated board takes, made in build/ once: for scripts beside it, in the project's folder.
#
# Afterwards, `on_board [OPTION...] -- COMMAND...` runs a command there, of run-board.sh with its
# OPTIONs.
export BOARD_DIR="$PWD/build/board"
mkdir -p "$BOARD_DIR"
if [ ! "$BOARD_DIR/root.img" -nt pyproject.toml ]; then
    # What pyproject.toml asks for on a board and in a cluster, its markers cut off: they are for the
    # board. The root file system takes wheels only, and of nkeys the index has none.
    wheels=$(sed -n '/^dependencies = \[/,/^\]/s/^ *"\([^";]*\).*/\1/p
        /^cluster = \[/,/^\]/s/^ *"\([^";]*\).*/\1/p' pyproject.toml)
    .venv/bin/pip wheel --quiet --disable-pip-version-check --no-deps -w "$BOARD_DIR/built" nkeys
    export PIP_FIND_LINKS="$BOARD_DIR/built"
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
on_board() {
    # shellcheck disable=SC2086
    $shared/board/run-board.sh --project . --timeout 1800 \
        --lib build/simnpu/build/aarch64/librknnrt.so --copy build/fifty:/fifty \
        --copy build/aarch64:/project/workers/images --env FIFTY=/fifty $zoo "$@"
}
