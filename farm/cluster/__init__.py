"""Many boards: a hub's queue of jobs between senders and any number of farms."""
