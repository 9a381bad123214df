"""The operating system: files, signals, terminals, processes."""
