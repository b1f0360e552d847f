"""Moving through the iterates."""
