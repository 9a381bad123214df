"""A finished benchmark as a page of HTML."""
