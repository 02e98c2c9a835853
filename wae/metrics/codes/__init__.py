"""What is measured of a model that has codes."""
