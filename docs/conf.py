"""How the documentation becomes HTML: MyST Markdown, the theme furo, nothing fetched, every warning an error."""

import benchwarden

project = "benchwarden"
author = "The benchwarden authors"
project_copyright = "The benchwarden authors, Apache-2.0"
version = release = benchwarden.__version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_static"]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

html_theme = "furo"
html_title = f"benchwarden {release}"
html_static_path = ["_static"]
html_css_files = ["benchwarden.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

# Works as files on a disk and on a server without the internet: no fonts, scripts or inventories from elsewhere.
pygments_style = "friendly"
pygments_dark_style = "monokai"
nitpicky = True
