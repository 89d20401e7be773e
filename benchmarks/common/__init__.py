"""What several measurements share: pages, learners, data."""
