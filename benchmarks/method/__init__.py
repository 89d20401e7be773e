"""What the parts of the method do: ablations, relevance, maps, several findings."""
