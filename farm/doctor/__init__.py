"""What keeps a board from working, and how to mend it."""
