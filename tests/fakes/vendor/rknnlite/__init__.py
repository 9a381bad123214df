"""A fake of the vendor's package; see api.py."""
