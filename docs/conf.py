"""How the pages are built: ``sphinx-build -W -b html docs docs/_build``."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ.setdefault("KERAS_BACKEND", "torch")

import multiconv  # noqa: E402  # Keras' backend is chosen before

project = "multiconv"
author = "The multiconv developers"
project_copyright = author
version = release = multiconv.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "languages",
    "mathml",
    "pictures",
    "snippets",
]
exclude_patterns = ["_build", "adr/README.md", "gallery/index.rst"]
default_role = "py:obj"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "alphabetical"
add_module_names = False
python_display_short_literal_types = True
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# What an earlier build left would hide changed pictures and keep scripts that are gone.
shutil.rmtree(HERE / "gallery", ignore_errors=True)
# The examples are shown, not run: their pictures are stored, and learn/examples.md is their index.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "backreferences_dir": "gallery/uses",
    "ignore_pattern": r"^_",
    "plot_gallery": False,
    "thumbnail_size": (715, 465),
    "css": ["sg_gallery"],
    # As a notebook, or without the scripts that it imports, none of them would run.
    "notebook_extensions": set(),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "furo"
html_title = "multiconv"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-brand-primary": "#0f766e",
        "color-brand-content": "#0f766e",
        "color-brand-visited": "#5b4fc4",
        "color-api-name": "#0f766e",
        "color-api-pre-name": "#6c757d",
    },
    "dark_css_variables": {
        "color-brand-primary": "#2bb7a8",
        "color-brand-content": "#2bb7a8",
        "color-brand-visited": "#9d92f5",
        "color-api-name": "#2bb7a8",
        "color-api-pre-name": "#959ea8",
    },
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
