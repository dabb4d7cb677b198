# conf.py - how Sphinx makes the documentation site. tools/make-site calls it on the tree of docs/site/stage.py.
import pathlib, re, sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

project = "rondo"
author = "the rondo authors"
version = release = ".".join(re.findall(r"#define RONDO_VERSION_[MP]\w+ (\d+)",
                                        (ROOT / "include/rondo/base.h").read_text(encoding="utf-8")))

extensions = ["myst_parser", "extension"]
root_doc = "index"
rondo_root = ROOT
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
language = "en"
primary_domain = "c"
highlight_language = "c"
nitpicky = True
# Types of the C library and of the compiler, which have no page here.
nitpick_ignore_regex = [("c:identifier", r"(u?int\d+|size|ssize|uintptr|pthread|pid)_t|va_list|timespec|(addrinfo|sockaddr)|socklen_t")]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

html_theme = "furo"
html_title = f"rondo {release}"
html_static_path = [str(HERE / "static")]
html_css_files = ["rondo.css"]
templates_path = [str(HERE / "templates")]
html_show_search_summary = False # needs to read other pages, which a page that is opened as a file may not
html_favicon = html_logo = str(HERE / "static" / "rondo.svg")
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_domain_indices = False
# All of the dark colours stand here: Debian's style sheet of furo has none for those whose system is dark.
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#1b5e8c", "color-brand-content": "#1b5e8c",
        "color-api-name": "#7b2c86", "color-api-pre-name": "#7b2c86"},
    "dark_css_variables": {
        "color-problematic": "#ff9d9d", "color-brand-primary": "#7cc0ee", "color-brand-content": "#7cc0ee",
        "color-api-name": "#dba9ea", "color-api-pre-name": "#dba9ea",
        "color-foreground-primary": "#d9dee4", "color-foreground-secondary": "#a9b2bc",
        "color-foreground-muted": "#98a2ad", "color-foreground-border": "#666f79",
        "color-background-primary": "#14171b", "color-background-secondary": "#1a1e23",
        "color-background-hover": "#262c33", "color-background-hover--transparent": "#262c3300",
        "color-background-border": "#30363d", "color-background-item": "#454d56",
        "color-highlight-on-target": "#3a3819", "color-highlighted-background": "#0d3f6b",
        "color-guilabel-background": "#0d3f6b80", "color-guilabel-border": "#1b5e8c80",
        "color-admonition-background": "#1a1e23"},
}
pygments_style = "colours.Light"
pygments_dark_style = "colours.Dark"
