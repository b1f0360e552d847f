"""Keeps and recovers sessions for the case of a crash, and reports errors."""
