"""Opening files and saving them."""
