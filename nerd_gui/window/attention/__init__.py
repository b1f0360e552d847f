"""Shows where each head of the non-local block looks from a pixel (Fig. 9)."""
