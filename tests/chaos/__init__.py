"""Workers killed and frozen at random while they classify, and the ledger checked: `make chaos`."""
