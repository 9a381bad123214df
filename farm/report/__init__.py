"""A finished benchmark as data, text, JSON, CSV and HTML; pure."""
