"""The window's look: its colours, sizes and fonts, each defined in one place."""
