"""The Wasserstein auto-encoder family, from raw data to comparison table."""
