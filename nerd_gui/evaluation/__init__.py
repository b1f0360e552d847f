"""Measures how well networks denoise folders of pictures, and writes the figures to JSON, cards and documents.

`evaluate.evaluate` measures; its docstring explains the entries that it returns, and `figures` names their keys.
"""
