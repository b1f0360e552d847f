"""The curves of a run over its iterates."""
