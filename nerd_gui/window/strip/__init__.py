"""The film strip: a small picture of every iterate, and by how much it changed."""
