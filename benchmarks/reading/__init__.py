"""Reading: which files, and whether their values are right."""
