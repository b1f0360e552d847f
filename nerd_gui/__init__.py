"""NERD GUI: explore equilibrium denoising, after Chen et al., "Equilibrium Image Denoising ..." (2023)."""

__version__ = "0.1.0"
