"""Figures that explain optimal transport, one per module: `numbers` returns a table, `draw` plots that table.

Distances come from `wae.divergences`, exact plans from a linear programme. No module here writes a file.
"""
