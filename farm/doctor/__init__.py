"""Checks of a board, and of a config on it, each with the command that fixes a problem."""
