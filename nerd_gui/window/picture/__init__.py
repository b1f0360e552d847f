"""The picture: its layers, how two of them are compared, and what is drawn over them."""
