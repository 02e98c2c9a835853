"""Data: download and verify, then one uint8 array a split. Nothing here imports torch."""
