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
html_js_files = [("rondo.js", {"priority": 100})]
html_favicon = html_logo = str(HERE / "static" / "rondo.svg")
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_domain_indices = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1b5e8c", "color-brand-content": "#1b5e8c"},
    "dark_css_variables": {"color-brand-primary": "#7cc0ee", "color-brand-content": "#7cc0ee"},
}
pygments_style = "friendly"
pygments_dark_style = "native"
