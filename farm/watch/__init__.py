"""What is to be seen of a running farm and its board: snapshots, and who looks at them."""
