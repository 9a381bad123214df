"""The coordinator of the worker farm, and its users: command line, Python API, benchmark."""
