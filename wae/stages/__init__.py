"""The work of each stage: read its inputs, call the mathematics, write its outputs. One module with `run(job)` each."""
