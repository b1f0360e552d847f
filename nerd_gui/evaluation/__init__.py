"""How well networks denoise folders of pictures, and where that is written: JSON, cards, tables in documents.

`evaluate.evaluate` measures; an entry of what it returns is explained in `figures`.
"""
