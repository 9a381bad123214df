"""The farm over HTTP: `npu-farm serve`."""
