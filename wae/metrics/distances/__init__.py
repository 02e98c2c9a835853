"""Measurements between two samples of images."""
