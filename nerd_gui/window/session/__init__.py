"""What is on the table and what was found: the state that every view shows. No widget."""
