"""Failure analysis: which classes are confused, where their maps overlap, and what would help."""
