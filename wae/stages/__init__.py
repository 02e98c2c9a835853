"""What each stage does: read its inputs, call the mathematics, write its outputs. One module a stage, `run(job)`."""
