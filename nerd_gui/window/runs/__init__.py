"""The list of the runs of the photo: what each was, what it found, and its curves beside those of the shown one."""
