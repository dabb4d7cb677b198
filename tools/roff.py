# roff.py - man pages as text: escaping, inline text, declarations, lists. A module for tools/make-man.
#
# What it writes is man(7) with the few requests that both groff and mandoc know: .TH .SH .SS .PP .TP .IP .RS
# .RE .nf .fi .EX .EE. A Page collects lines; text() gives the file.
import re

import headers

WIDTH = 71  # of a line in a synopsis: 78 columns without the margin of 7
TITLE = 30  # of the longest title that fits


def escape(text):
    """Prose: what roff would take for something else."""
    text = text.replace("\\", "\\e").replace("'", "\\(aq").replace("`", "\\(ga").replace("~", "\\(ti")
    text = text.replace("^", "\\(ha").replace('"', "\\(dq")
    return re.sub(r"^\.", r"\\&.", text)


def escape_code(text):
    """Code: as prose, but every hyphen is the one that can be copied."""
    return escape(text).replace("-", "\\-")


def bold(text):
    return f"\\fB{escape_code(text)}\\fP"


def italic(text):
    return f"\\fI{escape_code(text)}\\fP"


def words(text, arguments):
    """Prose, in which words that can only be arguments of the function are set as such."""
    parts = re.split(r"(?<![\w.])(\w+)(?![\w.]*\w\()", text)
    found = []
    for i, part in enumerate(parts):
        if i % 2 and part in arguments and ("_" in part or part in ("fn", "arg")):
            found.append(italic(part))
        else:
            found.append(escape(part).replace("\\&.", ".") if i else escape(part))
    return "".join(found)


def inline(text, arguments=()):
    """Inline text of a comment; see headers.spans()."""
    found = []
    for kind, part in headers.spans(text):
        if kind == "text":
            found.append(words(part, arguments))
        elif kind == "function":
            found.append(bold(part[:-2]) + "()")
        elif kind in ("argument", "header"):
            found.append(italic(part))
        else:
            found.append(bold(part))
    return re.sub(r"^([.'])", r"\\&\1", "".join(found))


def plain(text):
    """Inline text without fonts, for NAME, which other programs read."""
    return escape("".join(part for _, part in headers.spans(text)))


def sentence(text):
    """A text as a sentence: it begins with a capital, unless that is a name, and ends with a full stop."""
    if re.match(r"[a-z]+(?![\w(])", text):
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?", ":", '."')) else text + "."


def lowered(text):
    """A summary as what stands behind the dash of NAME."""
    text = text.rstrip(".")
    if re.match(r"[A-Z][a-z]*\b(?!\()", text) and not re.match(r"(SIGINT|NULL)\b", text):
        text = text[0].lower() + text[1:]
    return text


def wrapped(head, parts, tail):
    """A declaration: head, parts with commas between, tail; lines that begin below the first part."""
    indent = len(head) if len(head) + max(map(len, parts + [""])) < WIDTH else 8
    lines, line = [], head
    for i, part in enumerate(parts):
        piece = part + ("," if i + 1 < len(parts) else tail)
        if line.strip() and line != head and len(line) + 1 + len(piece) > WIDTH:
            lines.append(line)
            line = " " * indent + piece
        elif line == head and len(head) + len(piece) > WIDTH:
            lines.append(line)
            line = " " * indent + piece
        else:
            line += ("" if line == head else " ") + piece
    return lines + [line if parts else head + tail]


class Page:
    """One page, built from top to bottom."""

    def __init__(self, name, section, date, version):
        self.name, self.section = name, section
        # A title stands in three corners, and what is longer would overlap there.
        title = name if len(name) <= TITLE else name[:TITLE - 3] + "..."
        self.lines = [f'.TH "{escape_code(title)}" {section} {date} "rondo {version}" "rondo"',
                      ".ad l", ".nr HY 0", ".nh"]

    def add(self, *lines):
        self.lines += lines

    def heading(self, title):
        self.add(f'.SH "{escape(title)}"')

    def subheading(self, title):
        self.add(f'.SS "{escape_code(title)}"')

    def prose(self, text, arguments=()):
        """A paragraph's lines, a sentence each."""
        self.add(*(inline(one, arguments) for one in headers.sentences(text)))

    def paragraph(self, text, arguments=()):
        self.gap()
        self.prose(text, arguments)

    def gap(self):
        """A paragraph's beginning, where there is not one already."""
        if not self.lines[-1].startswith((".SH", ".SS", ".PP")):
            self.add(".PP")

    def item(self, tag, text, arguments=(), width=""):
        """A tagged paragraph; the tag is ready, the text is inline text."""
        self.add(f".TP{' ' + str(width) if width else ''}", tag)
        self.prose(text, arguments)

    def compact(self):
        """From here on items have no empty lines between them; one before the first."""
        if not self.lines[-1].startswith((".SH", ".SS")):
            self.add(".PP")
        self.add(".PD 0")

    def spaced(self):
        self.add(".PD")

    def code(self, lines):
        """Lines as they are."""
        self.gap()
        self.add(".RS 4", ".EX", *("\\&" + escape_code(line) if line else "" for line in lines), ".EE", ".RE")

    def blocks(self, blocks, arguments=()):
        """Paragraphs, code and definitions of a comment."""
        for block in blocks:
            if isinstance(block, headers.Code):
                self.code(block.lines)
            elif isinstance(block, headers.Definitions):
                for term, text in block.items:
                    self.item(bold(term), sentence(text), arguments, 14)
            elif block.head:
                self.gap()
                self.add(f"\\fB{escape(heading_case(block.head))}.\\fP")
                self.prose(block.text, arguments)
            else:
                self.paragraph(block.text, arguments)

    def synopsis(self, groups):
        """Groups of lines that are C; ready for roff."""
        self.heading("SYNOPSIS")
        self.add(".nf", "\\fB#include <rondo.h>\\fP")
        for group in groups:
            self.add("", *group)
        self.add(".fi")

    def text(self):
        return "\n".join(self.lines) + "\n"


def heading_case(text):
    """THE VIRTUAL CLOCK as The virtual clock; names of variables stay."""
    return text if "_" in text else text.capitalize()


def coloured(line, names):
    """A line of C in bold, the names of parameters in italics."""
    parts = re.split(r"(\w+)", line)
    found = "".join(f"\\fI{escape_code(p)}\\fB" if p in names else escape_code(p) for p in parts)
    return "\\fB" + re.sub(r"^( +)", r"\1", found) + "\\fP"


def prototype(declaration):
    """The lines of a function, callback or macro in a synopsis."""
    names = {p.name for p in declaration.parameters}
    if declaration.kind == "macro":
        head, tail = f"{declaration.name}(", ")"
    elif declaration.kind == "callback":
        head, tail = f"typedef {declaration.result} (*{declaration.name})(", ");"
    else:
        space = "" if declaration.result.endswith("*") else " "
        head, tail = f"{declaration.result}{space}{declaration.name}(", ");"
    parts = [p.text for p in declaration.parameters] or ([] if declaration.kind == "macro" else ["void"])
    lines = wrapped(head, parts, tail)
    first = escape_code(lines[0][:len(head)])
    rest = coloured(lines[0][len(head):], names)
    return [f"\\fB{first}\\fP{rest}"] + [coloured(line, names) for line in lines[1:]]


def structure(declaration):
    """The lines of a struct in a synopsis."""
    open_line = f"{'' if declaration.struct_only else 'typedef '}struct {declaration.name} {{"
    close_line = "};" if declaration.struct_only else f"}} {declaration.name};"
    names = {f.name for f in declaration.fields}
    inside = [f"    {f.text};" for f in declaration.fields]
    return [coloured(line, names) for line in [open_line, *inside, close_line]]
