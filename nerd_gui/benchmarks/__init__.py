"""How fast it is here: the program's parts beside the machine's own ceilings and other people's code.

`suite.measure` takes all measurements of `nerd-gui bench`; `tables.tables` makes them readable.
"""
