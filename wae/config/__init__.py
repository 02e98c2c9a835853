"""What may stand in a params file: each value, how values must fit each other, and a sentence for each mistake."""
