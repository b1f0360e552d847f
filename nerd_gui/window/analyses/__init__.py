"""What the equilibrium of the shown run tells: questions that are asked when a person wants it, and their answers."""
