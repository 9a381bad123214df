"""A farm struck at random while it classifies, and the ledger checked: `make chaos`."""
