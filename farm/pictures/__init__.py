"""What shows results on their pictures."""
