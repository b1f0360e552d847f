"""A queue of photos that are denoised one after another in the background."""
