"""How fast: reading, training, explaining, simulating."""
