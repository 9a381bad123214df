"""Who gets which batch, who runs where: pure decisions."""
