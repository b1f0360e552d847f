"""How the window looks: its colours, sizes and letters, each in one place."""
