"""Results from a network's outputs."""
