"""The checks of params files: each value, how values must fit each other, and a sentence for each mistake."""
