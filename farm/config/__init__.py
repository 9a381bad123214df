"""What a farm can be told, and reading it from YAML."""
