"""The list of the photo's runs, with the settings and results of each, and a check box that overlays its curves."""
