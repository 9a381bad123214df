"""Measuring: benchmarks, sweeps and tuning."""
