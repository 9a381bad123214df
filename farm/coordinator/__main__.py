"""`python -m farm.coordinator CONFIG`: the same as `npu-farm run`."""

from farm.cli.main import run

if __name__ == "__main__":
    run(prog_name="python -m farm.coordinator")
