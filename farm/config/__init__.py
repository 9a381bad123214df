"""A farm's config: its keys, and loading it from YAML."""
