"""Everything about images on disk: reading, listing, splitting, feeding, simulating."""
