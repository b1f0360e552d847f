"""The picture: its layers, the ways to compare two of them, and the marks drawn over them."""
