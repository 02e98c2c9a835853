"""Data: download and verify, then one uint8 array per split. Nothing here imports torch."""
