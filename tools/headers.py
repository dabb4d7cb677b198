# headers.py - reads include/rondo.h and include/rondo/*.h and gives what they say as plain objects.
# A module for the generators of documentation: the man pages and the site say what the headers say, once.
#
#     import headers
#     library = headers.read("include")        # the directory that holds rondo.h
#     for header in library.headers:           # rondo.h first, then in the order in which it includes them
#         for section in header.sections:
#             for declaration in section.declarations: ...
#     library["rondo_loop_new"]                # one declaration by its name; KeyError if there is none
#
# Library      headers, declarations (all, in order), [name], get(name), statuses (the constants that are
#              a rondo_status: RONDO_OK and RONDO_E_, in order), statuses_of(function): all that it may return
#              as [(status, meaning)], with those of "As rondo_x()" and those that the conventions of rondo.h
#              leave out of every comment; meaning(status): what a status or "-EINVAL" means in general
# Header       name ("rondo/loop.h"), title (one sentence, without a full stop), blocks (its opening comment
#              and what other comments that belong to no declaration say), sections, declarations
# Section      title ("" for what stands before the first one), declarations
# Declaration  kind: "function", "macro" (with parameters), "constant" (without), "handle" (an opaque
#              struct), "alias" (any other typedef), "callback" (a typedef of a function), "struct"
#              name, header (its name), section (its title), line, doc, text (the C declaration on one
#              line; of a macro its head only)
#              parameters, result (a C type): of functions, callbacks and macros
#              value: of constants, and what a macro is replaced by; fields: of structs
#              struct_only: there is no typedef for a struct
#              run: constants that follow each other without an empty line are one run, and share this number
# Parameter    name, type, text (as C writes it), doc (inline text from @param, or ""); "..." is its own name
# Field        name, type, text, doc
# Doc          summary (the first sentence), blocks (the rest; continued: its first one is of the same paragraph),
#              returns (Returns or None), contract ([(key, value)])
# Returns      text (inline text: all that @return says), statuses ([(status, meaning or "")]), like (names of
#              functions whose statuses these are, too: "As rondo_x()")
# Block        Paragraph(text, head): head is "" or a word in capitals that begins it ("THREADS. A loop ...")
#              Code(lines)
#              Definitions(items: [(term, text)])
#
# Inline text is plain text in which spans(text) finds what is more: pairs (kind, text) with kind "text",
# "function" (its text ends in "()"), "name" (any other declared name or prefix of names, as RONDO_LANE_),
# "header" (rondo/loop.h), "argument" (@p x), "code" (`x`). contract_words(key, value) says an item of a
# contract line in words.
#
# A form that is not understood is an Error with file and line: nothing is left out in silence.
import pathlib
import re
from dataclasses import dataclass, field

INTERNAL = {"RONDO_BEGIN_DECLS", "RONDO_END_DECLS"}  # for the headers themselves, as is what ends in "_"
CONTRACT_KEYS = ("thread", "blocks", "reenters", "moves", "owns", "borrows", "cancel", "since")
CONTRACT_MUST = ("thread", "blocks", "reenters", "since")
STATUS = r"(?:RONDO_OK|RONDO_E_[A-Z0-9_]+|-E[A-Z0-9]+)(?![A-Za-z0-9_])"


class Error(Exception):
    """A header says something in a form that this reader does not know."""


@dataclass
class Paragraph:
    text: str
    head: str = ""


@dataclass
class Code:
    lines: list


@dataclass
class Definitions:
    items: list


@dataclass
class Returns:
    text: str
    statuses: list
    like: list


@dataclass
class Doc:
    summary: str
    blocks: list = field(default_factory=list)
    continued: bool = False
    params: dict = field(default_factory=dict)
    returns: Returns = None
    contract: list = field(default_factory=list)

    def contract_values(self, key):
        """All values of one key of the contract line, in order."""
        return [value for k, value in self.contract if k == key]


@dataclass
class Parameter:
    name: str
    type: str
    text: str
    doc: str = ""


@dataclass
class Field:
    name: str
    type: str
    text: str
    doc: str


@dataclass
class Declaration:
    kind: str
    name: str
    text: str
    line: int
    doc: Doc
    header: str = ""
    section: str = ""
    parameters: list = field(default_factory=list)
    result: str = ""
    value: str = ""
    fields: list = field(default_factory=list)
    struct_only: bool = False
    run: int = 0


@dataclass
class Section:
    title: str
    declarations: list = field(default_factory=list)


@dataclass
class Header:
    name: str
    title: str
    blocks: list
    sections: list
    includes: list

    @property
    def declarations(self):
        return [d for s in self.sections for d in s.declarations]


class Library:
    """All headers, and what they declare by name."""

    def __init__(self, headers):
        self.headers = headers
        self.declarations = [d for h in headers for d in h.declarations]
        self.by_name = {}
        for declaration in self.declarations:
            if declaration.name in self.by_name:
                raise Error(f"{declaration.header}:{declaration.line}: {declaration.name} is declared twice")
            self.by_name[declaration.name] = declaration
        self.statuses = [d for d in self.declarations
                         if d.kind == "constant" and re.fullmatch(r"RONDO_OK|RONDO_E_\w+", d.name)]
        self.check()

    def __getitem__(self, name):
        return self.by_name[name]

    def get(self, name):
        return self.by_name.get(name)

    def takes_handle(self, declaration):
        """Whether a function is given a handle: a pointer to an opaque struct, or to any of them."""
        handles = {d.name for d in self.declarations if d.kind == "handle"} | {"rondo_awaitable", "rondo_object"}
        kinds = (re.fullmatch(r"(?:const )?(rondo_\w+) \*", p.type) for p in declaration.parameters)
        return any(kind and kind.group(1) in handles for kind in kinds)

    def implied(self, declaration):
        """What a function that returns a rondo_status may return besides what its comment says: rondo.h, STATUS."""
        said = []
        if self.takes_handle(declaration):
            no_op = "NULL is a no-op" in whole_text(declaration.doc)
            said += [] if no_op else [("-EINVAL", "A handle is NULL.")]
            said += [(s, self[s].doc.summary) for s in ("RONDO_E_BAD_HANDLE", "RONDO_E_STALE_HANDLE")]
            if any(v.startswith("loop") for v in declaration.doc.contract_values("thread")):
                said += [(s, self[s].doc.summary) for s in ("RONDO_E_WRONG_THREAD", "RONDO_E_WRONG_PROCESS")]
        return said

    def meaning(self, status):
        """What a status means in general: its own comment, or for an errno what rondo.h says."""
        if status in self.by_name:
            return self[status].doc.summary
        for block in self.headers[0].blocks:
            if isinstance(block, Definitions):
                for term, text in block.items:
                    if term == status:
                        return text[0].upper() + text[1:] + "."
        raise Error(f"rondo.h: the conventions do not say what {status} means")

    def statuses_of(self, declaration):
        """All that a function may return as [(status, meaning)]: its own, those it has as another one, and
        the implied ones. Without an own meaning it is the general one."""
        reads = declaration.doc.returns is None and declaration.doc.summary.startswith("Return ")
        if declaration.result != "rondo_status" or reads:  # what reads a status out of something tells no outcome
            return []
        found = {"RONDO_OK": "", **self.said_of(declaration, ())}
        for status, meaning in self.implied(declaration):
            if status not in found:
                found[status] = meaning
            elif found[status] and status == "-EINVAL":
                found[status] = found[status].rstrip(".") + "; or a handle is NULL"
        return [(status, self.full(status, meaning)) for status, meaning in found.items()]

    def full(self, status, meaning):
        """A meaning, with the general one where there is no other or where it only adds to that."""
        if meaning and not meaning.startswith("and "):
            return meaning
        general, more = self.meaning(status), meaning[len("and "):]
        return f"{general} {more[0].upper()}{more[1:]}." if more and more not in general else general

    def said_of(self, declaration, seen):
        """What a comment says of statuses, itself or by "As rondo_x()": {status: meaning or ""}."""
        returns, found = declaration.doc.returns, {}
        if declaration.name in seen:
            return found
        for name in returns.like if returns else re.findall(r"^As (rondo_\w+)\(\)", declaration.doc.summary):
            found.update(self.said_of(self[name], (*seen, declaration.name)))
        for status, meaning in returns.statuses if returns else []:
            found[status] = meaning or found.get(status, "")
        return found

    def check(self):
        """The conventions name the statuses that implied() tells; what a comment refers to exists."""
        top = " ".join(b.text for b in self.headers[0].blocks if isinstance(b, Paragraph))
        for status in ("RONDO_E_BAD_HANDLE", "RONDO_E_STALE_HANDLE", "-EINVAL", "RONDO_E_WRONG_THREAD",
                       "RONDO_E_WRONG_PROCESS"):
            if status not in top:
                raise Error(f"rondo.h: the conventions do not name {status}, which comments leave out")
        for declaration in self.declarations:
            for kind, text in spans(whole_text(declaration.doc)):
                if kind == "function" and text.startswith("rondo_") and text[:-2] not in self.by_name:
                    raise Error(f"{declaration.header}:{declaration.line}: {declaration.name} refers to {text}, "
                                "which no header declares")
                if kind == "name" and text.startswith("RONDO_E_") and text not in self.by_name and text != "RONDO_E_":
                    raise Error(f"{declaration.header}:{declaration.line}: no status is called {text}")
        for declaration in self.declarations:
            self.statuses_of(declaration)


# -- inline text -----------------------------------------------------------------------------------

SPAN = re.compile(r"`(?P<code>[^`]+)`|@p (?P<argument>\w+)|(?P<function>\b(?:rondo_\w+|RONDO_\w+)\(\))"
                  r"|(?P<header>\brondo/\w+\.h\b|\brondo\.h\b)"
                  r"|(?P<name>\b(?:rondo_\w+|RONDO_\w+)|(?<!\w)-E[A-Z0-9]{2,}\b)")


def spans(text):
    """Split inline text into pairs of a kind and a text; see the head of this file."""
    pairs, end = [], 0
    for match in SPAN.finditer(text):
        if match.start() > end:
            pairs.append(("text", text[end:match.start()]))
        pairs.append((match.lastgroup, match.group(match.lastgroup)))
        end = match.end()
    if end < len(text):
        pairs.append(("text", text[end:]))
    return pairs


def references(text):
    """The declared-looking names in inline text, in order, each once, without "()"."""
    names = [t.removesuffix("()") for kind, t in spans(text) if kind in ("function", "name") and not t.startswith("-")]
    return list(dict.fromkeys(names))


def whole_text(doc):
    """All prose of a comment, for those who search it."""
    parts = [doc.summary]
    for block in doc.blocks:
        if isinstance(block, Paragraph):
            parts.append(block.text)
        elif isinstance(block, Definitions):
            parts += [f"{term} {text}" for term, text in block.items]
    parts += doc.params.values()
    parts += [doc.returns.text] if doc.returns else []
    return "\n".join(parts)


def first_sentence(text):
    """Split a text after its first sentence: a full stop outside of brackets and quotes, before a space."""
    depth, quoted = 0, False
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        quoted ^= c == '"'
        ends = c in ".!?" and text[i + 1:i + 2] in ("", " ") and not text[:i + 1].endswith("..")
        if ends and not quoted and depth <= 0:
            return text[:i + 1], text[i + 1:].strip()
    return text, ""


def sentences(text):
    """All sentences of a text."""
    found = []
    while text:
        one, text = first_sentence(text)
        found.append(one)
    return found


# -- comments --------------------------------------------------------------------------------------


def comment_lines(raw):
    """The lines of a comment without its stars; what was indented behind the star stays so."""
    body = re.sub(r"^/\*+<?", "", raw)
    body = re.sub(r"\*/$", "", body)
    lines = []
    for number, line in enumerate(body.split("\n")):
        line = line.rstrip()
        if number > 0:
            line = re.sub(r"^\s*\*", "", line)
        lines.append(line[1:] if line.startswith(" ") else line)
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def definitions(lines):
    """A paragraph as Definitions, if it is terms with texts that begin in one column; else None."""
    items, column = [], None
    for line in lines:
        match = re.match(r"( {0,3}\S+(?: \S+)*? {2,})(\S.*)$", line)
        if match and not line.startswith(" " * 4) and (column in (None, len(match.group(1)))):
            column = len(match.group(1))
            items.append([match.group(1).strip(), match.group(2)])
        elif column and re.match(rf" {{{column}}}\S", line):
            items[-1][1] += " " + line.strip()
        else:
            return None
    return Definitions([tuple(i) for i in items])


def blocks_of(lines, where):
    """Paragraphs, code (indented by four) and definitions, separated by empty lines."""
    blocks, group = [], []

    def close():
        while group and not group[-1]:
            group.pop()
        if not group:
            return
        if group[0].startswith("    "):
            blocks.append(Code([line[4:] if line.startswith("    ") else line for line in group]))
        elif found := definitions(group):
            blocks.append(found)
        else:
            if odd := next((line for line in group if line.startswith(" ")), None):
                raise Error(f"{where}: neither prose, nor code, nor definitions: {odd!r}")
            text = " ".join(group)
            head = re.match(r"([A-Z][A-Z_ ]*[A-Z])\. (.*)$", text)
            blocks.append(Paragraph(head.group(2), head.group(1)) if head else Paragraph(text))
        group.clear()

    for line in lines:
        in_code = bool(group) and group[0].startswith("    ")
        if not line and in_code:
            group.append(line)  # an empty line inside of code, unless prose follows
        elif not line or (in_code and not line.startswith("    ")) \
                or (group and not in_code and line.startswith("    ") and definitions(group + [line]) is None):
            close()
            if line:
                group.append(line)
        else:
            group.append(line)
    close()
    return blocks


def own_meaning(text):
    """What stands behind a status, without what leads to the next thing and without brackets around it."""
    text = text.strip().rstrip(".").strip()
    if not text.lower().startswith("as rondo_"):
        text = re.sub(r"(?:[,;]|^|(?<=\)))\s*(?:else |or )*[Aa]s rondo_\w+\(\)(?=[,;]|$).*", "", text)
    text = re.sub(r"(?:^|[,;\s])\s*(?:or )?(?:(?:a negative|another|the|a) (?:errno|status)|or why|or what)\b.*$",
                  "", text)
    text = re.sub(r"(?:[\s,;]|\bor\b|\belse\b|\band\b)+$", "", text.strip()).strip(" ,;:")
    return text[1:-1] if text.startswith("(") and closing(text) == len(text) - 1 else text


def closing(text):
    """Where the bracket that begins a text is closed."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i
    return -1


def outside_brackets(text):
    """Whether every bracket of a text is closed."""
    return text.count("(") == text.count(")")


def returns_of(text):
    """What @return says, taken apart: a status and what follows it, up to the next one."""
    found, like = {}, re.findall(r"\b[Aa]s (rondo_\w+)\(\)", re.sub(rf"{STATUS} as rondo_\w+\(\)", "", text))
    for sentence in sentences(text):
        marks = [m for m in re.finditer(STATUS, sentence) if outside_brackets(sentence[:m.start()])]
        if not marks:
            continue
        listed = re.match(rf"(?:{STATUS}|[Aa]s rondo_)", sentence)
        for mark, after in zip(marks, marks[1:] + [None]):
            end = after.start() if after else len(sentence)
            meaning = own_meaning(sentence[mark.end():end]) if listed else sentence
            if not found.get(mark.group()):
                found[mark.group()] = meaning
    return Returns(text, list(found.items()), list(dict.fromkeys(like)))


def contract_of(lines, where):
    """The contract line as pairs; each key is known, and those that must be there are."""
    pairs = []
    for item in re.split(r"\s{2,}|\n", "\n".join(lines).strip()):
        key, colon, value = item.partition(":")
        if not colon or key not in CONTRACT_KEYS or not value:
            raise Error(f"{where}: no item of a contract line: {item!r}")
        pairs.append((key, value))
    for key in CONTRACT_MUST:
        if key not in [k for k, _ in pairs]:
            raise Error(f"{where}: the contract line says nothing of {key!r}")
    return pairs


def doc_of(raw, where):
    """Parse a /** comment."""
    lines, prose, tags = comment_lines(raw), [], []
    for line in lines:
        if match := re.match(r"@(\w+)\s*(.*)$", line):
            if match.group(1) not in ("param", "return", "par", "p"):
                raise Error(f"{where}: unknown tag @{match.group(1)}")
            if match.group(1) != "p":
                tags.append((match.group(1), [match.group(2)]))
                continue
        if tags:
            tags[-1][1].append(line)
        else:
            prose.append(line)
    blocks = blocks_of(prose, where)
    if not blocks or not isinstance(blocks[0], Paragraph):
        raise Error(f"{where}: the comment does not begin with a sentence")
    summary, rest = first_sentence(blocks[0].text if not blocks[0].head else f"{blocks[0].head}. {blocks[0].text}")
    blocks[:1] = [Paragraph(rest)] if rest else []
    doc = Doc(summary, blocks, bool(rest))
    for tag, body in tags:
        if tag == "par":
            if body[0] != "Contract":
                raise Error(f"{where}: unknown paragraph @par {body[0]}")
            if tags[-1][1] is not body:
                raise Error(f"{where}: the contract line is the end of a comment")
            doc.contract = contract_of(body[1:], where)
            continue
        body = [line.strip() for line in body]
        while body and not body[-1]:
            body.pop()
        if "" in body:
            raise Error(f"{where}: text after @{tag} that belongs to no tag: {body[body.index('') + 1]!r}")
        text = " ".join(body)
        if tag == "return":
            if doc.returns:
                raise Error(f"{where}: two @return")
            doc.returns = returns_of(text)
        else:
            name, _, text = text.partition(" ")
            if not text.strip() or name in doc.params:
                raise Error(f"{where}: @param {name} says nothing, or for the second time")
            doc.params[name] = text.strip()
    return doc


# -- declarations ----------------------------------------------------------------------------------


def split_top(text, mark=","):
    """Split at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == mark and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return parts


def variable(text, where):
    """The name and type of a parameter or field; the type stands as C writes it without the name."""
    if text == "...":
        return "...", ""
    if match := re.fullmatch(r"(.+\(\*)(\w+)(\)\(.*\))", text):
        return match.group(2), match.group(1) + match.group(3)
    if match := re.fullmatch(r"(.*?[\s*])(\w+)((?:\[\w*\])*)", text):
        return match.group(2), (match.group(1).strip() + match.group(3))
    raise Error(f"{where}: not understood: {text!r}")


def parameters(text, doc, where):
    if text.strip() == "void":
        found = []
    else:
        found = [Parameter(*variable(part, where), part) for part in split_top(text)]
    names = [p.name for p in found]
    for name in doc.params:
        if name not in names:
            raise Error(f"{where}: @param {name}, but there is no such parameter")
    for parameter in found:
        parameter.doc = doc.params.get(parameter.name, "")
    return found


def function(text, doc, where, line):
    match = re.fullmatch(r"(.+?)\s*\b(rondo_\w+)\s*\((.*)\)", text)
    if not match:
        raise Error(f"{where}: not understood: {text!r}")
    result = match.group(1).replace("* ", "*")
    if not doc.contract:
        raise Error(f"{where}: {match.group(2)} has no contract line")
    return Declaration("function", match.group(2), text, line, doc, result=result,
                       parameters=parameters(match.group(3), doc, where))


def fields_of(body, where, docs):
    """The fields of a struct: a comment stands before or, as /**<, behind each."""
    found, before, position = [], None, 0
    for match in re.finditer(r"\x00(\d+)\x00|([^;\x00]+);", body):
        if body[position:match.start()].strip():
            raise Error(f"{where}: not understood: {body[position:match.start()].strip()!r}")
        position = match.end()
        if match.group(1) is None:
            text = " ".join(match.group(2).split())
            found.append(Field(*variable(text, where), text, before))
            before = None
            continue
        raw = docs[int(match.group(1))]
        inline = " ".join(line.strip() for line in comment_lines(raw)).strip()
        if raw.startswith("/**<"):
            if not found or found[-1].doc:
                raise Error(f"{where}: a comment that belongs to no field: {inline!r}")
            found[-1].doc = inline
        elif raw.startswith("/**"):
            before = inline
        else:
            raise Error(f"{where}: a comment that says nothing to the reader: {inline!r}")
    if body[position:].strip() or before:
        raise Error(f"{where}: not understood: {body[position:].strip()!r}")
    for one in found:
        if not one.doc:
            raise Error(f"{where}: the field {one.name} has no comment")
    return found


def typedef_or_function(text, doc, where, line, docs):
    """A declaration that ends in a semicolon, without it. Comments in it are numbers between NULs."""
    flat = " ".join(re.sub(r"\x00\d+\x00", " ", text).split())
    if match := re.fullmatch(r"(typedef )?struct (rondo_\w+) \{(.*)\}( rondo_\w+)?", text, re.S):
        if match.group(1) and match.group(4).strip() != match.group(2):
            raise Error(f"{where}: struct {match.group(2)} is also called{match.group(4)}")
        return Declaration("struct", match.group(2), flat, line, doc, struct_only=not match.group(1),
                           fields=fields_of(match.group(3), where, docs))
    if "\x00" in text:
        raise Error(f"{where}: a comment inside of a declaration: {flat!r}")
    if match := re.fullmatch(r"typedef struct (rondo_\w+) (rondo_\w+)", flat):
        if match.group(1) != match.group(2):
            raise Error(f"{where}: struct {match.group(1)} is also called {match.group(2)}")
        return Declaration("handle", match.group(2), flat, line, doc)
    if match := re.fullmatch(r"typedef (.+?) ?\(\*(rondo_\w+)\)\((.*)\)", flat):
        return Declaration("callback", match.group(2), flat, line, doc, result=match.group(1),
                           parameters=parameters(match.group(3), doc, where))
    if match := re.fullmatch(r"typedef ([\w ]+) (rondo_\w+)", flat):
        return Declaration("alias", match.group(2), flat, line, doc, result=match.group(1))
    return function(flat, doc, where, line)


def macro(text, doc, where, line):
    """A #define, its lines joined."""
    match = re.fullmatch(r"#define (\w+)(\(([^)]*)\))?\s*(.*)", text, re.S)
    name = match.group(1)
    if doc is None:
        raise Error(f"{where}: {name} has no comment")
    if match.group(2) is None:
        return Declaration("constant", name, f"#define {name} {match.group(4)}", line, doc, value=match.group(4))
    names = [n.strip() for n in match.group(3).split(",")]
    for documented in doc.params:
        if documented not in names:
            raise Error(f"{where}: @param {documented}, but there is no such parameter")
    return Declaration("macro", name, f"{name}({', '.join(names)})", line, doc, value=match.group(4),
                       parameters=[Parameter(n, "", n, doc.params.get(n, "")) for n in names])


# -- a header --------------------------------------------------------------------------------------

TOKEN = re.compile(r"(?P<space>\s+)|(?P<comment>/\*.*?\*/)|(?P<directive>#(?:[^\n\\]|\\\n|\\.)*)"
                   r"|(?P<decls>RONDO_(?:BEGIN|END)_DECLS\b)", re.S)


def declaration_end(text, start, where):
    """Where the declaration that starts here has its semicolon."""
    depth, i = 0, start
    while i < len(text):
        if text.startswith("/*", i):
            i = text.index("*/", i) + 2
            continue
        depth += (text[i] in "({[") - (text[i] in ")}]")
        if text[i] == ";" and depth == 0:
            return i
        i += 1
    raise Error(f"{where}: a declaration without an end")


class Reader:
    """Goes through the text of one header, token by token."""

    def __init__(self, name, text):
        self.name, self.text = name, text
        self.doc, self.doc_line, self.previous_end = None, 0, -1
        self.sections, self.includes, self.blocks, self.title = [Section("")], [], [], None
        self.ifs, self.run, self.forward = [], 0, {}

    def where(self, position):
        return f"{self.name}:{self.text.count(chr(10), 0, position) + 1}"

    def read(self):
        position = 0
        while position < len(self.text):
            match = TOKEN.match(self.text, position)
            if match is None:
                end = declaration_end(self.text, position, self.where(position))
                self.declare(position, end)
                position = end + 1
                continue
            if match.lastgroup == "comment":
                self.comment(match)
            elif match.lastgroup == "directive":
                self.directive(match)
            position = match.end()
        if self.doc:
            raise Error(f"{self.name}:{self.doc_line}: a comment with nothing behind it")
        if self.ifs:
            raise Error(f"{self.name}: {self.ifs[-1]!r} has no end")
        return Header(self.name, self.title, self.blocks, self.sections, self.includes)

    def comment(self, match):
        where, raw = self.where(match.start()), match.group()
        if self.doc:
            raise Error(f"{self.name}:{self.doc_line}: a comment with nothing behind it")
        if self.title is None:
            self.opening(raw, where)
        elif raw.startswith("/**"):
            self.doc, self.doc_line = raw, int(where.rpartition(":")[2])
            self.doc_start = match.start()
        elif title := re.fullmatch(r"/\* -{2,} (.+?) -+ \*/", raw):
            self.sections.append(Section(title.group(1)))
        elif raw.startswith("/*\n"):
            self.blocks += blocks_of(comment_lines(raw), where)
        else:
            raise Error(f"{where}: a comment that belongs to nothing: {raw!r}")

    def opening(self, raw, where):
        lines = comment_lines(raw)
        blocks = blocks_of(lines, where)
        match = re.match(re.escape(self.name) + r" - (.+)$", blocks[0].text if blocks else "")
        if not match or not where.endswith(":1"):
            raise Error(f"{where}: a header begins with /* {self.name} - what it is about. */")
        title, rest = first_sentence(match.group(1))
        self.title = title.rstrip(".")
        self.blocks = ([Paragraph(rest)] if rest else []) + blocks[1:]

    def directive(self, match):
        where, text = self.where(match.start()), match.group()
        joined = re.sub(r"\s*\\\n\s*", " ", text).strip()
        word = re.match(r"#(\w+)", joined).group(1)
        if word in ("ifdef", "ifndef"):
            guard = re.sub(r"\W", "_", self.name).upper()
            if joined not in (f"#ifndef {guard}", "#ifdef __cplusplus"):
                raise Error(f"{where}: declarations that depend on something: {joined}")
            self.ifs.append(joined)
        elif word == "else" and self.ifs:
            pass
        elif word == "endif" and self.ifs:
            self.ifs.pop()
        elif word == "include":
            self.includes.append(re.fullmatch(r"#include <(.+)>", joined).group(1))
        elif word == "define":
            self.define(joined, match, where)
        else:
            raise Error(f"{where}: not understood: {joined}")

    def define(self, joined, match, where):
        name = re.match(r"#define (\w+)", joined).group(1)
        guard = re.sub(r"\W", "_", self.name).upper()
        if name in INTERNAL or name.endswith("_") or name == guard:
            if self.doc:
                raise Error(f"{where}: a comment for readers about {name}, which is not for them")
            return
        start = self.doc_start if self.doc else match.start()
        doc = doc_of(self.doc, where) if self.doc else None
        one = macro(joined, doc, where, int(where.rpartition(":")[2]))
        if one.kind == "constant":
            if "\n\n" in self.text[max(self.previous_end, 0):start] or self.previous_end < 0:
                self.run += 1
            one.run = self.run
            self.previous_end = match.end()
        self.add(one)

    def declare(self, start, end):
        where, raw = self.where(start), self.text[start:end]
        if re.fullmatch(r"struct (?!rondo_)\w+", raw):
            return  # a type of the system's, named before it is used
        docs = []

        def keep(match):
            docs.append(match.group())
            return f"\x00{len(docs) - 1}\x00"

        body = re.sub(r"/\*.*?\*/", keep, raw, flags=re.S)
        if (again := re.match(r"struct (rondo_\w+) \{", body)) and not self.doc and again.group(1) in self.forward:
            self.complete(self.forward[again.group(1)], body, docs, where)
            return
        if not self.doc:
            raise Error(f"{where}: a declaration without a comment: {' '.join(raw.split())[:60]!r}")
        one = typedef_or_function(body, doc_of(self.doc, f"{self.name}:{self.doc_line}"), where,
                                  int(where.rpartition(":")[2]), docs)
        if one.kind == "handle":
            self.forward[one.name] = one
        self.previous_end = -1
        self.add(one)

    def complete(self, one, body, docs, where):
        """A struct that was named first, for the callbacks that it holds, and now has its fields."""
        whole = typedef_or_function(body, one.doc, where, one.line, docs)
        one.kind, one.fields, one.text = "struct", whole.fields, "typedef " + whole.text + " " + one.name

    def add(self, declaration):
        declaration.header, declaration.section = self.name, self.sections[-1].title
        self.sections[-1].declarations.append(declaration)
        self.doc = None


def read_header(name, text):
    """Parse one header, given its name as #include has it and its text."""
    return Reader(name, text).read()


def read(directory):
    """Parse rondo.h and all that is below rondo/; each of those has to be included by rondo.h."""
    directory = pathlib.Path(directory)
    first = read_header("rondo.h", (directory / "rondo.h").read_text())
    there = {f"rondo/{p.name}" for p in (directory / "rondo").glob("*.h")}
    if there != set(first.includes):
        raise Error(f"rondo.h: it does not include {sorted(there ^ set(first.includes))}, or they do not exist")
    return Library([first] + [read_header(n, (directory / n).read_text()) for n in first.includes])


# -- the contract line in words ----------------------------------------------------------------------

WORDS = {
    ("thread", "loop"): "Only on the loop's thread.",
    ("thread", "any"): "Any thread may call it.",
    ("thread", "job"): "Only on the thread that runs the job.",
    ("blocks", "no"): "It never blocks.",
    ("blocks", "until-done"): "It blocks until it is done.",
    ("reenters", "no"): "No code of the program runs inside of the call.",
    ("reenters", "drop"): "A drop function may run inside of the call.",
    ("reenters", "callbacks"): "Callbacks of the program may run inside of the call.",
    ("cancel", "lossless"): "It may be cancelled at any point: no data is lost, and its objects stay usable.",
    ("cancel", "poisons"): "It may be half done when it is cancelled.",
    ("cancel", "as the awaited thing"): "Cancelling it cancels the awaited thing, and does what that says.",
    ("cancel", "as the body"): "The cancellation is thrown into the body, which says what it does.",
}
TITLES = {"thread": "Thread", "blocks": "Blocks", "reenters": "Re-enters", "moves": "Moves", "owns": "Owns",
          "borrows": "Borrows", "cancel": "Cancelling", "since": "Since"}


def contract_words(key, value):
    """An item of a contract line as (title, sentence)."""
    title = TITLES[key]
    name, _, aside = value.partition("(")
    name, aside = name.strip(), aside.rstrip(")").strip()
    if key == "owns":
        if re.fullmatch(r"rondo_\w+", aside):
            return title, f"The caller owns {name}, and gives it back with {aside}()."
        return title, f"The caller owns {name}" + (f" ({aside})." if aside else ".")
    if key == "moves":
        return title, f"Moved into the library: {name}" + (f" ({aside})." if aside else ".")
    if key == "borrows":
        names = {"result": "the result", "text of str": "the text of a str"}.get(name, name.replace(",", ", "))
        who = "The caller" if name in ("result", "text of str") or name.startswith("out_") else "The library"
        return title, f"{who} borrows {names} {aside}."
    if key == "blocks" and (match := re.fullmatch(r"ms:(\w+)", value)):
        return title, f"It blocks for {match.group(1)} at most."
    if key == "blocks" and (key, name) not in WORDS:
        return title, f"It may block: {value}."
    if key == "since":
        return title, f"rondo {value}"
    if key == "reenters" and len(parts := split_top(value)) > 1:
        return title, " ".join(contract_words(key, part)[1] for part in parts)
    known = WORDS.get((key, name))
    if known is None:
        return title, value[0].upper() + value[1:] + "."
    return title, known if not aside else f"{known[:-1]} ({aside})."
