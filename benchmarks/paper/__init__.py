"""The paper's experiment on pages of results."""
