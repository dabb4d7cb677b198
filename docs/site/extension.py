# extension.py - what Sphinx does not do by itself: links among the repository's files, anchors in source pages,
# and links from code to the reference.
import json, os, posixpath, re

from docutils import nodes
from sphinx import addnodes
from sphinx.domains.c import CDomain
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

# A link to a directory goes to the page that lists what is in it.
FOLDERS = {"docs/decisions": "docs/decisions/README", "docs/howto": "docs/howto/README", "docs/tutorial": "docs/tutorial/README",
           "include/rondo": "reference/index", "include": "reference/index"}
EXAMPLES = re.compile(r"examples-(c|python)(/|$)")
# Pages that list others in a table of their own; the list for the navigation is added here.
LISTS = {"docs/decisions/README": "[0-9]*", "docs/tutorial/README": "[0-9]*",
         "docs/howto/README": "[a-z]*"}
NAME = re.compile(r"(?:struct )?\b((?:rondo|RONDO)_\w+)(?:\(\))?")
PREFIX = re.compile(r"(?:rondo|RONDO)_(?=[A-Za-z])")
CODE = re.compile(r'<span class="(?:n|nf|nc|kt|nx|no|nb)">((?:rondo|RONDO)_\w+)</span>')


def page_reference(refdoc, target, children):
    """A reference to a page of the site by its docname."""
    reference = addnodes.pending_xref(refdomain="std", reftype="doc", refexplicit=True, refwarn=True,
                                      refdoc=refdoc, reftarget="/" + target)
    reference += children
    return reference


class LinksToFiles(SphinxTransform):
    """A link to a file of the repository leads to the page that shows it, one to a directory to its list."""
    default_priority = 200

    def apply(self):
        refdoc = self.env.docname
        for node in list(self.document.findall(addnodes.download_reference)):
            if node["reftype"] == "myst":
                page = self.path(refdoc, node["reftarget"])
                node.replace_self(page_reference(refdoc, page, node.children))
        for node in list(self.document.findall(addnodes.pending_xref)):
            if node["reftype"] == "myst":
                self.folder(refdoc, node)

    def path(self, refdoc, target):
        return posixpath.normpath(posixpath.join(posixpath.dirname(refdoc), target))

    def folder(self, refdoc, node):
        target, _, anchor = node["reftarget"].partition("#")
        path = self.path(refdoc, target)
        if not os.path.isdir(self.env.app.config.rondo_root / path) or not target or anchor:
            return
        page = "reference/examples" if EXAMPLES.match(path) else FOLDERS.get(path)
        if page and page in self.env.found_docs:
            node.replace_self(page_reference(refdoc, page, node.children))
        else: # a directory of sources: its name is all there is to say
            node.replace_self(node.children)


class LineAnchors(SphinxTransform):
    """Each line of a page that shows a source file can be linked to: #L-12."""
    default_priority = 200

    def apply(self):
        for node in self.document.findall(nodes.literal_block):
            if "source-file" in node["classes"]:
                node.setdefault("highlight_args", {}).update(lineanchors="L", anchorlinenos=True)


class PiecesOfPrograms(SphinxTransform):
    """Under a piece of a program stands which one it is cut from. Empty lines at its ends are cut off."""
    default_priority = 201

    def apply(self):
        for node in list(self.document.findall(nodes.literal_block)):
            if "source" not in node or "source-file" in node["classes"]:
                continue
            node.rawsource = node.astext().strip("\n")
            node[:] = [nodes.Text(node.rawsource)]
            path = posixpath.relpath(node["source"], self.env.srcdir)
            if path in self.env.found_docs:
                link = page_reference(self.env.docname, path, [nodes.inline("", path)])
                node.parent.insert(node.parent.index(node) + 1, nodes.paragraph("", "", link, classes=["cut-from"]))


class LettersOfIndex(SphinxTransform):
    """In the index, a name stands under the first letter behind the prefix that all of them have."""
    default_priority = 500

    def apply(self):
        for node in self.document.findall(addnodes.index):
            node["entries"] = [(kind, value, target, main, PREFIX.sub("", value)[:1].upper() if PREFIX.match(value) else key)
                               for kind, value, target, main, key in node["entries"]]


class LongSignatures(SphinxPostTransform):
    """A declaration that is too long for a line has a line for each parameter."""
    default_priority = 5
    formats = ("html",)

    def run(self, **_):
        for signature in self.document.findall(addnodes.desc_signature):
            if len(signature.astext()) > 80:
                for parameter in signature.findall(addnodes.desc_parameter):
                    parameter.insert(0, nodes.inline(classes=["own-line"]))


class Names(CDomain):
    """The C domain without the parameters of functions, which would come first in every search."""

    def get_objects(self):
        return (one for one in super().get_objects() if one[2] != "functionParam")


def objects(env):
    """Name -> (page, anchor) of everything that the reference describes."""
    if not hasattr(env, "rondo_objects"):
        found = env.get_domain("c").get_objects()
        env.rondo_objects = {name: (page, anchor) for name, _, _, page, anchor, _ in found if "." not in name}
    return env.rondo_objects


class LinksToReference(SphinxPostTransform):
    """A name of the library that stands as code in a text leads to its description."""
    default_priority = 5
    formats = ("html",)

    def run(self, **_):
        known = objects(self.env)
        for node in list(self.document.findall(nodes.literal)):
            found = NAME.fullmatch(node.astext())
            if found and found.group(1) in known and not self.linked(node):
                page, anchor = known[found.group(1)]
                uri = self.app.builder.get_relative_uri(self.env.docname, page) + "#" + anchor
                reference = nodes.reference("", "", internal=True, refuri=uri)
                node.replace_self(reference)
                reference += node

    def linked(self, node):
        while node := node.parent:
            if isinstance(node, (nodes.reference, addnodes.pending_xref, nodes.title, addnodes.desc_signature)):
                return True
        return False


def link_code(app, pagename, templatename, context, doctree):
    """The same in blocks of code, which are colored when the page is written."""
    if doctree is None:
        return
    known = objects(app.env)

    def link(match):
        if match.group(1) not in known:
            return match.group()
        page, anchor = known[match.group(1)]
        uri = app.builder.get_relative_uri(pagename, page) + "#" + anchor
        return f'<a class="code" href="{uri}">{match.group()}</a>'

    context["body"] = CODE.sub(link, context["body"])


def source_role(name, rawtext, text, lineno, inliner, options={}, content=[]):
    """:source:`path:line` is a link to a line of the page that shows a file; the line may be missing."""
    env = inliner.document.settings.env
    path, _, line = text.partition(":")
    shown = posixpath.basename(text) if path.startswith("examples-") else text
    reference = nodes.reference("", shown, internal=True)
    reference["refuri"] = env.app.builder.get_relative_uri(env.docname, path) + (f"#L-{line}" if line else "")
    return [reference], []


def summary(app, doctree):
    """Keep the first paragraph of a page, which the search shows beside its results."""
    paragraph = next(doctree.findall(nodes.paragraph), None)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    if not hasattr(app.env, "rondo_summaries"):
        app.env.rondo_summaries = {}
    app.env.rondo_summaries[app.env.docname] = text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " ..."


def summaries(app, error):
    if not error:
        write(app, "summaries.js", "const SUMMARIES = " + json.dumps(app.env.rondo_summaries, indent=0, sort_keys=True) + ";\n")


def write(app, name, text):
    with open(os.path.join(app.outdir, "_static", name), "w", encoding="utf-8") as file:
        file.write(text)


def read(app, name):
    with open(os.path.join(app.outdir, "_static", name), encoding="utf-8") as file:
        return file.read()


def mend_theme(app, error):
    """Debian's furo wants to be served: its script is a module and its style sheet imports /javascript, and a
    browser loads neither from files. So the module goes into the script, and the imported sheet into the sheet."""
    if error:
        return
    script = read(app, "scripts/furo.js")
    module = 'import Gumshoe from "./gumshoe-patched.js";\n'
    if script.startswith(module):
        write(app, "scripts/furo.js", read(app, "scripts/gumshoe-patched.js") + script.removeprefix(module))
        os.unlink(os.path.join(app.outdir, "_static", "scripts/gumshoe-patched.js"))
    sheet = read(app, "styles/furo.css")
    found = re.match(r"@import url\((/javascript/[\w./-]+)\);\n", sheet)
    if found:
        with open("/usr/share" + found.group(1), encoding="utf-8") as imported:
            write(app, "styles/furo.css", imported.read() + sheet[found.end():])


def add_lists(app, docname, source):
    if docname in LISTS:
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n{LISTS[docname]}\n```\n"


def setup(app):
    app.add_config_value("rondo_root", None, "env")
    app.add_domain(Names, override=True)
    app.add_role("source", source_role)
    app.add_transform(LinksToFiles)
    app.add_transform(LineAnchors)
    app.add_transform(LettersOfIndex)
    app.add_transform(PiecesOfPrograms)
    app.add_post_transform(LongSignatures)
    app.add_post_transform(LinksToReference)
    app.connect("source-read", add_lists)
    app.connect("doctree-read", summary)
    app.connect("build-finished", summaries)
    app.connect("build-finished", mend_theme)
    app.connect("html-page-context", link_code)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
