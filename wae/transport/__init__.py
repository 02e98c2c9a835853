"""Figures that explain optimal transport: one module a figure, its `numbers` a table and its `draw` a picture of that.

Distances are those of `wae.divergences`, exact plans those of a linear programme. Nothing here writes a file.
"""
