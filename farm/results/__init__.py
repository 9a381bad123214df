"""What comes out: results, their order, their statistics, where they are written."""
