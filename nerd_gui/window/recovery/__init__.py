"""Saves the session in the background, so that it can be recovered after a crash, and reports errors."""
