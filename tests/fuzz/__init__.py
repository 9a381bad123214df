"""Random input for the C library, under the sanitizers."""
