# reference.py - the reference as reStructuredText, from what tools/headers.py reads in the headers.
#
# A page per header, one for the conventions (rondo.h itself), one for the statuses, and a list of the pages.
# Everything declared is an object of Sphinx's C domain, so that search, index and links find it.
import re, sys

from stage import ROOT, heading, listed

sys.path.insert(0, str(ROOT / "tools"))
import headers

DIRECTIVES = {"function": "c:function", "macro": "c:macro", "constant": "c:macro", "handle": "c:type",
              "alias": "c:type", "callback": "c:type", "struct": "c:struct"}


def page_of(header):
    """The page of a header as other pages name it."""
    return "/reference/" + ("conventions" if header == "rondo.h" else re.sub(r"rondo/(\w+)\.h", r"\1", header))


# -- text ------------------------------------------------------------------------------------------


def escape(text):
    return re.sub(r"([\\*`|_<>:@])", r"\\\1", text) # the last two would make links: "file:line"


class Text:
    """Turns the inline text of comments into reStructuredText, with links to what is declared."""

    def __init__(self, library):
        self.library = library

    def __call__(self, text):
        return "".join(self.span(*pair) for pair in headers.spans(text)).strip()

    def span(self, kind, text):
        if kind == "text":
            return re.sub(r"^([-+#.])", r"\\\1", escape(text))
        if kind == "argument":
            return rf"\ *{escape(text)}*\ "
        if kind == "header":
            return rf"\ :doc:`{text} <{page_of(text)}>`\ "
        declared = self.library.get(text.removesuffix("()"))
        if declared is None:
            return rf"\ ``{text}``\ "
        role = {"function": "func", "macro": "macro", "constant": "macro", "struct": "struct"}.get(declared.kind, "type")
        return rf"\ :c:{role}:`{text.removesuffix('()')}`\ "


def indented(lines, depth=3):
    return [" " * depth + line if line else "" for line in lines]


def directive(name, argument="", options=(), body=()):
    lines = [f".. {name}:: {argument}".rstrip(), *indented(f":{o}" for o in options), ""]
    return lines + indented(body) + ([""] if body else [])


def table(rows, *options):
    """A list-table of rows of cells, which are reStructuredText on one line."""
    body = []
    for row in rows:
        body += [("* - " if i == 0 else "  - ") + cell for i, cell in enumerate(row)]
    return directive("list-table", "", ("class: " + options[0], *options[1:]), body)


# -- blocks ----------------------------------------------------------------------------------------


def block(one, text):
    if isinstance(one, headers.Paragraph):
        return [(f"**{one.head.capitalize()}.** " if one.head else "") + text(one.text), ""]
    if isinstance(one, headers.Code):
        return directive("code-block", "c" if looks_like_c(one) else "text", (), one.lines)
    lines = []
    for term, meaning in one.items:
        lines += [rf"{text(term) if term.startswith('-E') else '``' + term + '``'}", *indented([text(meaning)]), ""]
    return lines


def looks_like_c(code):
    """A table of words is no C: there is no semicolon in it."""
    return any(";" in line for line in code.lines)


def blocks(many, text):
    return [line for one in many for line in block(one, text)]


# -- declarations ----------------------------------------------------------------------------------


class Reference:
    def __init__(self, library):
        self.library, self.text = library, Text(library)
        self.uses = uses(library)

    def declaration(self, one):
        name, doc, text = DIRECTIVES[one.kind], one.doc, self.text
        body = [text(doc.summary), ""]
        if one.value:
            value = re.sub(r"^\((-\d+)\)$", r"\1", one.value)
            body = [f"Value: ``{value}``", "", *body]
        body += blocks(doc.blocks, text)
        body += self.parameters(one) + self.returns(one) + self.contract(one) + self.examples(one)
        for member in one.fields:
            body += directive("c:member", member.text, (), [text(member.doc)])
        return directive(name, self.signature(one), (), body)

    def signature(self, one):
        if one.kind in ("function", "macro"):
            return one.text
        if one.kind in ("callback", "alias"):
            return one.text.removeprefix("typedef ")
        return one.name

    def parameters(self, one):
        lines = [f":param {p.name}: {self.text(p.doc)}" for p in one.parameters if p.doc]
        return lines and [*lines, ""]

    def returns(self, one):
        lines = []
        if one.doc.returns:
            lines += [f":returns: {self.text(one.doc.returns.text)}", ""]
        if one.kind != "function":
            return lines
        rows = [(self.text(status), self.text(meaning)) for status, meaning in self.library.statuses_of(one)]
        if rows:
            lines += ["", *fold(f"Every status that it may return ({len(rows)})", table(rows, "statuses", "align: left"))]
        return lines

    def contract(self, one):
        if not one.doc.contract:
            return []
        rows = [headers.contract_words(key, value) for key, value in one.doc.contract]
        rows = [(title, self.text(sentence)) for title, sentence in rows]
        path = f"include/{one.header}"
        rows.append(("Declared in", rf":source:`{path}:{one.line}`"))
        return table(rows, "contract", "stub-columns: 1", "align: left")

    def examples(self, one):
        found = self.uses.get(one.name, [])[:4]
        if not found or one.kind not in ("function", "macro"):
            return []
        return directive("rst-class", "uses") + ["Used in " + ", ".join(f":source:`{path}:{line}`" for path, line in found), ""]

    # -- pages -------------------------------------------------------------------------------------

    def header(self, header):
        declared = [d for d in header.declarations if d not in self.library.statuses]
        lines = [heading(header.name, "="), sentence(self.text(header.title)), "",
                 f"Declared in :source:`include/{header.name}`.", "", *blocks(header.blocks, self.text)]
        if header.name == "rondo/base.h":
            lines += ["The statuses have :doc:`a page of their own <statuses>`.", ""]
        rows = [(self.text(d.name + "()" * (d.kind == "function")), self.text(d.doc.summary)) for d in declared
                if d.kind in ("function", "macro")]
        if len(rows) > 3:
            lines += [heading("In short", "-"), *table(rows, "overview")]
        for section in header.sections:
            mine = [d for d in section.declarations if d in declared]
            if not mine:
                continue
            lines += [heading(sentence(escape(section.title)).rstrip(".") or "Declarations", "-")]
            lines += [line for d in mine for line in self.declaration(d)]
        return "\n".join(lines)

    def conventions(self, header):
        lines = [heading("Conventions", "="),
                 "What all functions have in common. It is said at the top of :source:`include/rondo.h`.", ""]
        for one in header.blocks:
            if isinstance(one, headers.Paragraph) and one.head:
                lines += [heading(one.head.capitalize(), "-"), self.text(one.text), ""]
            else:
                lines += block(one, self.text)
        return "\n".join(lines)

    def statuses(self):
        lines = [heading("Statuses", "="),
                 self.text("Every function that can fail returns a rondo_status: RONDO_OK, a negative errno, or one of "
                           "these. rondo_status_name() and rondo_status_message() say at run time what one is."), ""]
        for one in self.library.statuses:
            lines += self.declaration(one)
        return "\n".join(lines)

    def index(self):
        rows = [(f":doc:`{h.name} <{page_of(h.name)}>`", sentence(self.text(h.title))) for h in self.library.headers[1:]]
        pages = ["conventions", "statuses", *(page_of(h.name).removeprefix("/reference/") for h in self.library.headers[1:])]
        kinds = [d.kind for d in self.library.declarations]
        return "\n".join([
            heading("Reference", "="),
            f"{kinds.count('function')} functions and {kinds.count('macro')} macros, made from the comments of the "
            "headers. Begin with the :doc:`conventions`, which hold for all of them. The :ref:`index <genindex>` has "
            "every name.", "", *table(rows, "overview"), *directive("toctree", "", ("hidden:",), pages)])


def sentence(text):
    """A title as a sentence; a name at its beginning stays as it is."""
    plain = text[:1].upper() + text[1:] if re.match(r"[a-z]+\b(?!_)", text) else text
    return plain.rstrip(".") + "." if plain else ""


def fold(title, lines):
    """Lines behind a title that opens them."""
    return [*directive("raw", "html", (), [f'<details class="fold"><summary>{title}</summary>']), *lines,
            *directive("raw", "html", (), ["</details>"])]


def uses(library):
    """Name -> where examples use it, the shortest programs first: [(path, line)]."""
    found, sizes = {}, {}
    for path in listed(["examples-c/**/*.c", "examples-python/*.py"]):
        lines = (ROOT / path).read_text(encoding="utf-8").split("\n")
        sizes[str(path)] = len(lines)
        seen = set()
        for number, line in enumerate(lines, 1):
            for name in re.findall(r"\b(?:rondo|RONDO)_\w+", line):
                if library.get(name) and name not in seen:
                    seen.add(name)
                    found.setdefault(name, []).append((str(path), number))
    return {name: sorted(places, key=lambda p: sizes[p[0]]) for name, places in found.items()}


def pages():
    """All pages of the reference: [(path below the tree that Sphinx reads, text)]."""
    library = headers.read(ROOT / "include")
    reference = Reference(library)
    yield "reference/index.rst", reference.index()
    yield "reference/conventions.rst", reference.conventions(library.headers[0])
    yield "reference/statuses.rst", reference.statuses()
    for header in library.headers[1:]:
        yield page_of(header.name).lstrip("/") + ".rst", reference.header(header)
