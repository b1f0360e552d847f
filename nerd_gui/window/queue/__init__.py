"""Many photos, denoised one after another in the background."""
