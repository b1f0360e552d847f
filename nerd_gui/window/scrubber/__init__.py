"""Controls for moving through the iterates."""
