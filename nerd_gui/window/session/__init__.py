"""The state that every view shows: the open photo, its runs, and what of them is shown. It contains no widget."""
