# stage.py - the tree that Sphinx reads: the repository's own pages where they are, and what is made of its files.
#
# Every file keeps its place, so that links and literalinclude paths mean the same in the repository and here.
# A header, an example and whatever else a page links to gets a page of its own, NAME.rst beside NAME, which shows
# it with an anchor per line. The pages of docs/site go to the top.
import pathlib, re, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PAGES = ["*.md", "bench/*.md", "docs/**/*.md"]
SHOWN = ["include/rondo.h", "include/rondo/*.h", "examples-c/**/*", "examples-python/**/*"]
LANGUAGES = {".c": "c", ".h": "c", ".py": "python", ".swift": "swift", ".sh": "sh", ".cmake": "cmake", ".map": "text"}
LINK = re.compile(r"\]\(<?([^)\s>#]+)")


def listed(patterns):
    """The files that the patterns name, sorted, as paths relative to the root."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts)


def pages():
    """The repository's own pages; those of docs/site are the site's."""
    return [page for page in listed(PAGES) if page.parts[:2] != ("docs", "site")]


def linked(page):
    """Files of the repository that a page links to and that are no pages."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in LINK.findall(text):
        path = (ROOT / page.parent / target).resolve()
        if ":" not in target and path.is_file() and path.is_relative_to(ROOT) and path.suffix != ".md":
            yield path.relative_to(ROOT)


def language(path):
    """What to colour a file as."""
    if path.suffix in LANGUAGES:
        return LANGUAGES[path.suffix]
    if path.name == "CMakeLists.txt":
        return "cmake"
    try:
        first = (ROOT / path).read_text(encoding="utf-8").split("\n", 1)[0]
    except UnicodeDecodeError:
        return "text"
    if first.startswith("#!"):
        return "python" if "python" in first else "sh"
    return "text"


def source_page(path):
    """The page that shows a file and, if it is an example, what that prints."""
    page = heading(str(path), "=")
    if path.parts[0].startswith("examples-") and path.suffix in (".c", ".py"):
        page += re.sub(r"([\\*`|_:@])", r"\\\1", capital(head_sentence(path))) + "\n\n"
    page += include(path.name, language(path), ":linenos:", ":class: source-file")
    expected = path.parent / "expected" / f"{path.stem}.txt"
    if (ROOT / expected).is_file() and path.suffix in (".c", ".py"):
        page += "\n" + heading("What it prints", "-") + include(f"expected/{expected.name}", "text")
    return ":orphan:\n\n" + page


def heading(text, underline):
    return f"{text}\n{underline * len(text)}\n\n"


def include(path, language, *options):
    return f".. literalinclude:: {path}\n" + "".join(f"   {o}\n" for o in (f":language: {language}", *options))


def capital(text):
    """A sentence, unless it begins with a name."""
    return text[0].upper() + text[1:] if re.match(r"[a-z]+[ ,:;]", text) else text


def put(stage, path, text):
    target = stage / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def copy(stage, path, to=None):
    target = stage / (to or path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / path, target)


def head_sentence(path):
    """What the first comment of an example says after its name: up to the first full stop or empty line."""
    text = (ROOT / path).read_text(encoding="utf-8")
    found = re.match(r'(?:#!.*\n)?(?:/\*\s*(?:\* )?|# |""")' + re.escape(path.name) + r" - (.*?)\s*"
                     r'(?:\n \*\n|\n#?\n|\*/|""")', text, re.S)
    if not found:
        raise SystemExit(f"{path}: its first comment is not of the form \"{path.name} - what it shows\"")
    return re.sub(r"\s*\n(?: \*|#)? ?", " ", found.group(1))


def examples_page(sources):
    """The list of the example programs, each with what its first comment says, and of what belongs to them."""
    groups = {}
    for path in sources:
        if path.parts[0].startswith("examples-") and "expected" not in path.parts:
            groups.setdefault(path.parent, []).append(path)
    lines = ["# Example programs", "",
             "Each is run by the tests, and what it prints is compared with what it should print.", ""]
    for folder, paths in sorted(groups.items()):
        lines += [f"## {folder}", ""]
        for path in paths:
            said = f": {escape(head_sentence(path))}" if path.suffix in (".c", ".py") else ""
            lines.append(f"- [`{path.name}`](../{path}){said}")
        lines += [""]
    return "\n".join(lines)


def escape(text):
    """Plain text in Markdown, the library's names as code."""
    text = re.sub(r"([\\*_<>\[\]`])", r"\\\1", text)
    return re.sub(r"\brondo\\_[a-z\\_0-9]+(?:\(\))?", lambda name: "`" + name.group().replace("\\", "") + "`", text)


def make(stage):
    """Fill the empty directory stage."""
    own = pages()
    for page in own:
        copy(stage, page)
    for page in sorted((ROOT / "docs/site").glob("*.md")):
        copy(stage, page.relative_to(ROOT), page.name)
    shown = listed(SHOWN)
    for path in shown:
        copy(stage, path)
    expected = {path for path in shown if "expected" in path.parts}
    linked_files = {path for page in own for path in linked(page)}
    for path in sorted((set(shown) - expected) | linked_files):
        copy(stage, path)
        put(stage, f"{path}.rst", source_page(path))
    import reference # which uses this module
    for path, text in reference.pages():
        put(stage, path, text)
    put(stage, "reference/examples.md", examples_page(shown))
    dictionary = ROOT / "tools/make-dictionary"
    if dictionary.exists():
        subprocess.run([dictionary, stage / "docs/dictionary.md"], check=True)
