"""Training: rounds of the game from the first, or from a checkpoint, to the last."""
