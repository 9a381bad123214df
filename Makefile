# Everything happens in .venv: no root, nothing outside this folder but pip's and the renders' cache.
PYTHON ?= python3
PLATFORM ?= rk3588
SOC ?= rk3588
SIZE ?= 3
REPEAT ?= 10
BIN := .venv/bin

# What runs models: the vendor's package comes by itself on a board; ONNX Runtime is for PCs.
EXTRAS := cpu

.PHONY: help run test check format board bench images data clean

help:  ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: .venv/run images  ## Set up, render images, classify them
	$(BIN)/npu-farm run configs/host.yaml -d build/renders

test: .venv/dev  ## Set up, run the tests
	$(BIN)/pytest

check: .venv/dev  ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: .venv/dev  ## Put the code into the common form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

board: .venv/dev  ## Test on this board, or on an emulated one: make board SOC=rk3576
	tests/board/run.sh $(SOC)

bench: .venv/run images  ## Measure: make bench PLATFORM=rk3576 SIZE=8
	$(BIN)/npu-farm bench configs/$(PLATFORM).yaml -s $(SIZE) -r $(REPEAT) -d build/renders

images: .venv/run  ## Render 200 images into build/renders
	@$(BIN)/npu-farm render build/renders --count 200

data: ## Clone the public photos and models of the field's examples (network)
	git clone --depth 1 https://github.com/swdee/go-rknnlite-data.git build/data

clean:  ## Remove what make made
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

.venv/pip: 
	$(PYTHON) -m venv .venv
	touch $@

.venv/run: .venv/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

.venv/dev: .venv/pip pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS),dev]'
	touch $@ .venv/run
