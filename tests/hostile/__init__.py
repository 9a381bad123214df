"""What clients send that mean no good: each a row of docs/serve-limits.md."""
