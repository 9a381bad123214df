"""The board: its SoC, NPU load, temperatures, clocks, model files, known faults."""
