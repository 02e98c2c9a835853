"""Measurements of models that have codes."""
