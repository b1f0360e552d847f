"""The film strip: a small picture of every iterate, and how much it changed."""
