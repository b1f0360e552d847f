"""What is left of a session when the program does not end as it should, and what is said of it."""
