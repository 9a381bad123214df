"""A cluster struck at random while it classifies, and the ledger checked: `make chaos-cluster`."""
