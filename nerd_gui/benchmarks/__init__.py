"""Measures the speed of the program's parts, compared with the limits of the machine and with other libraries.

`suite.measure` takes all measurements of `nerd-gui bench`; `tables.tables` formats them.
"""
