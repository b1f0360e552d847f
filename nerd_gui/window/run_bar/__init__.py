"""The controls of a run, and the line below the picture that reports on it."""
