# extension.py - what Sphinx does not do by itself: links among the repository's files, anchors in source pages,
# and links from code to the reference.
import os, posixpath, re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

# A link to a directory goes to the page that lists what is in it.
FOLDERS = {"docs/decisions": "docs/decisions/README", "docs/howto": "howto", "docs/tutorial": "tutorial",
           "include/rondo": "reference/index", "include": "reference/index"}
EXAMPLES = re.compile(r"examples-(c|python)(/|$)")
# Pages that list others in a table of their own; the list for the navigation is added here.
LISTS = {"docs/decisions/README": "[0-9]*"}
NAME = re.compile(r"(?:struct )?\b((?:rondo|RONDO)_\w+)(?:\(\))?")
CODE = re.compile(r'<span class="(?:n|nf|nc|kt|nx|no|nb)">((?:rondo|RONDO)_\w+)</span>')


def page_reference(document, refdoc, target, children):
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
                node.replace_self(page_reference(self.document, refdoc, page, node.children))
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
            node.replace_self(page_reference(self.document, refdoc, page, node.children))
        else: # a directory of sources: its name is all there is to say
            node.replace_self(node.children)


class LineAnchors(SphinxTransform):
    """Each line of a page that shows a source file can be linked to: #L-12."""
    default_priority = 200

    def apply(self):
        for node in self.document.findall(nodes.literal_block):
            if "source-file" in node["classes"]:
                node.setdefault("highlight_args", {}).update(lineanchors="L", anchorlinenos=True)


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
    """:source:`path:line` is a link to a line of the page that shows a file."""
    env = inliner.document.settings.env
    path, _, line = text.partition(":")
    shown = f"{posixpath.basename(path)}, line {line}" if path.startswith("examples-") else f"{path}, line {line}"
    reference = nodes.reference("", "", nodes.literal("", shown), internal=True)
    reference["refuri"] = env.app.builder.get_relative_uri(env.docname, path) + f"#L-{line}"
    return [reference], []


def add_lists(app, docname, source):
    if docname in LISTS:
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n{LISTS[docname]}\n```\n"


def setup(app):
    app.add_config_value("rondo_root", None, "env")
    app.add_role("source", source_role)
    app.add_transform(LinksToFiles)
    app.add_transform(LineAnchors)
    app.add_post_transform(LinksToReference)
    app.connect("source-read", add_lists)
    app.connect("html-page-context", link_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
