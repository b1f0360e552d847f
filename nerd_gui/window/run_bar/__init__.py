"""What is run and how, and what the line under the picture says of it."""
