"""Analyses of the shown run's equilibrium, which a person asks for, and their answers."""
