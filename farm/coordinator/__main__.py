"""`python -m farm.coordinator CONFIG`: the same as `npu-farm run`."""

from farm.cli.main import main

if __name__ == "__main__":
    main("run", "python -m farm.coordinator")
