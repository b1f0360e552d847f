"""How Sphinx builds the documentation: `python -m sphinx -W docs docs/_build`."""

from nerd_gui import __version__

project = "NERD GUI"
author = "The NERD GUI developers"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "NERD GUI"
html_logo = html_favicon = "../resources/icons/nerd-gui.svg"
html_show_sourcelink = html_copy_source = html_show_copyright = False
copybutton_exclude = ".linenos, .gp, .go"  # prompts and output are not copied

myst_heading_anchors = 3  # headings down to this depth can be linked to: [text](page.md#heading)
myst_enable_extensions = ["dollarmath"]

default_role = "code"  # in docstrings a word in single backquotes is code
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings name the types, with shapes
numpydoc_show_class_members = False
