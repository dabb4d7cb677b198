# abi.py - what compiled programs know of the library, read from headers and from the baseline, and how two differ.
# The module of tools/check-abi, which says what may differ; Tests/abi/gate proves both.
import os, pathlib, re, subprocess, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKER = ROOT / "Sources/CRondoShim/include/rondo_shim_worker.h"
CC = os.environ.get("CC", "cc")
VERSION_MACRO = re.compile(r"RONDO_VERSION(_\w+)?$")  # these change with every version
PROTOCOL = ("rondo_worker_request", "rondo_worker_answer")
HEAD = """\
/*
 * The ABI of %(soname)s as of version %(version)s, %(state)s. Written by "tools/check-abi --accept"; not to be edited.
 *
 * It is a header: tools/check-abi compiles it to compare its types with those of include/, and compiles the
 * examples with it to run them with the library of today. Behind each function is its symbol's version.
 */
"""


def run(*command, text=None):
    """Standard output of a command that has to succeed."""
    done = subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout


def number(version):
    """(major, minor) of "0.1", "0.1.0" or "RONDO_0.1"."""
    major, minor = re.search(r"(\d+)\.(\d+)", version).groups()
    return int(major), int(minor)


# -- what headers declare ------------------------------------------------------------------------


class Abi:
    """What the headers of a directory declare: includes, types in order, and by name functions, constants, macros.
    Of the header of the protocol between the library and rondo-worker, its types and constants."""

    def __init__(self, directory, protocol=None):
        names = [str(p.relative_to(directory)) for p in sorted(directory.glob("**/*.h"))]
        self.directory, self.includes = directory, sorted({
            line for name in names for line in (directory / name).read_text().splitlines()
            if re.match(r"#include <(?!rondo)", line)})
        self.types, self.functions, self.macros = [], {}, {}
        self._read(f"{directory}/", "".join(f"#include <{name}>\n" for name in ["rondo.h"] + names))
        if protocol:
            public = dict(self.macros)
            self._read(str(protocol), f'#include "{protocol}"\n')
            self.types = [t for t in self.types if not t.startswith("struct rondo_process_end")]
            self.functions = {n: f for n, f in self.functions.items() if not n.startswith("rondo_shim_")}
            self.macros = public | {n: m for n, m in self.macros.items()
                                    if n.startswith(("RONDO_WORKER_", "RONDO_SOVERSION"))}
        self.constants = self._evaluate()
        self.versions, self.since = {}, {}

    def _read(self, place, source):
        """Keep the lines that come from the place, a file or directory; definitions of macros stand among them."""
        ours, code = False, []
        for line in run(CC, "-E", "-dD", f"-I{self.directory}", "-x", "c", "-", text=source).splitlines():
            if marker := re.match(r'# \d+ "([^"]*)"', line):
                ours = marker.group(1).startswith(place)
            elif ours and (macro := re.match(r"#define (\w+)(.*)", line)):
                self.macros[macro.group(1)] = re.sub(r"\s+", " ", macro.group(2)).rstrip()
            elif ours and not line.startswith("#"):
                code.append(line)
        # An include guard or RONDO_BEGIN_DECLS has no body in C.
        self.macros = {n: body for n, body in self.macros.items() if body and not VERSION_MACRO.match(n)}
        for declaration in split(re.sub(r"\s+", " ", " ".join(code))):
            function = re.match(r"(?!typedef\b|struct \w+ \{)[^{(]*\b(rondo_\w+) ?\(", declaration)
            if function:
                self.functions[function.group(1)] = declaration
            else:
                self.types.append(declaration)

    def _evaluate(self):
        """Constants, taken out of the macros: those whose value a compiler can tell as an integer."""
        names = [n for n, body in self.macros.items() if body.startswith(" ") and not n.endswith("_")]
        head = "#include <stdio.h>\n" + self.text(list(self.macros))
        lines = [f'_Static_assert((({n}) | 1) != 0, "");\n' for n in names]
        tried = subprocess.run([CC, "-fsyntax-only", "-x", "c", "-"], input=head + "".join(lines),
                               capture_output=True, text=True).stderr
        wrong = {int(at) - head.count("\n") - 1 for at in re.findall(r"<stdin>:(\d+):\d+: error", tried)}
        values = ask(self, {n: n for i, n in enumerate(names) if i not in wrong})
        for name in values:
            del self.macros[name]
        return values

    def text(self, macros):
        """C for the includes, types and some macros."""
        return "".join(f"{line}\n" for line in self.includes + self.types) + "".join(
            f"#define {name}{self.macros[name]}\n" for name in macros)

    def growable(self):
        """Structs that begin with their size: the library reads it, so they may grow at the end."""
        return {m.group(1) for t in self.types if (m := re.match(r"(?:typedef )?struct (\w+) \{ ?uint32_t size;", t))}

    def typedefs(self):
        """Names of the types: of typedefs, and of the structs of the protocol."""
        names = [re.search(r"\(\*(\w+)\)|(\w+) ?;$", t) for t in self.types if t.startswith("typedef")]
        return sorted({m.group(1) or m.group(2) for m in names} | {f"struct {n}" for n in PROTOCOL if any(
            t.startswith(f"struct {n} {{") for t in self.types)})

    def read_since(self):
        """The version in the contract line of each function's comment."""
        for header in self.directory.glob("**/*.h"):
            for comment, behind in re.findall(r"/\*\*(.*?)\*/\s*([^;/#]*)", header.read_text(), re.S):
                name = re.match(r"[^{(]*\b(rondo_\w+)\s*\(", behind)
                since = re.search(r"\bsince:(\d+\.\d+)", comment)
                if name and since and not behind.startswith("typedef"):
                    self.since[name.group(1)] = since.group(1)


def split(code):
    """Declarations: what ends with a semicolon outside of braces."""
    depth, begin, found = 0, 0, []
    for at, character in enumerate(code):
        depth += (character == "{") - (character == "}")
        if character == ";" and depth == 0:
            found.append(code[begin:at + 1].strip())
            begin = at + 1
    return found


# -- the baseline --------------------------------------------------------------------------------


class Baseline:
    """The committed file: an Abi with symbol versions, and what its first comment says."""

    def __init__(self, path):
        with tempfile.TemporaryDirectory() as scratch:  # a directory with nothing but rondo.h in it
            copy = pathlib.Path(scratch, "rondo.h")
            copy.write_text(path.read_text())
            self.abi = Abi(copy.parent)
        self.soname, self.version, self.state = re.search(
            r"The ABI of (\S+) as of version (\S+), (\w+)\.", path.read_text()).groups()
        self.abi.versions = dict(re.findall(r"\b(rondo_\w+) ?\([^\n]*; /\* (RONDO_[\d.]+) \*/$",
                                            path.read_text(), re.M))
        self.released = self.state == "released"


def write_baseline(path, abi, soname, version, state):
    parts = [HEAD % {"soname": soname, "version": version, "state": state}, "#ifndef RONDO_H\n#define RONDO_H\n"]
    parts += [f"{line}\n" for line in abi.includes]
    parts += ["\n/* types */\n"] + [f"{line}\n" for line in abi.types]
    parts += ["\n/* functions */\n"]
    parts += [f"{abi.functions[n]} /* {abi.versions.get(n, 'not exported')} */\n" for n in sorted(abi.functions)]
    parts += ["\n/* constants */\n"]
    parts += [f"#define {n} {constant(v)}\n" for n, v in sorted(abi.constants.items())]
    parts += ["\n/* macros */\n"] + [f"#define {n}{body}\n" for n, body in sorted(abi.macros.items())] + ["#endif\n"]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(parts))


def constant(value):
    """An integer as C writes it, of the type that its size asks for."""
    text = str(value) if abs(value) < 2**31 else f"{value}LL"
    return f"({text})" if value < 0 else text


# -- comparing types -----------------------------------------------------------------------------


def build_stub(abi, functions, types, cuts, output):
    """A library without any function's work: its debug information has every prototype and type of the headers."""
    source, frame, structs = output.with_suffix(".c"), "", {struct(t)[0] for t in abi.types}
    if "RONDO_FRAME" in abi.macros:
        frame = f"struct a_frame {{{abi.macros['RONDO_FRAME']}; }};\n" \
                "void a_type_RONDO_FRAME(struct a_frame *it) { (void)it; }\n"
    source.write_text(
        "".join(f"{line}\n" for line in abi.includes + [cut(t, cuts) for t in abi.types]) + frame +
        # A type that no function names, as rondo_process_fn, is ABI too, so each has a function of its own. They
        # come first by name, structs before all, because abidiff tells a change once, with the first that has it.
        "".join(f"void a_{'struct' if n in structs else 'type'}_{n.split()[-1]}({n} *value) {{ (void)value; }}\n"
                for n in types) +
        "".join(f"{abi.functions[n][:-1]} {{ __builtin_trap(); }}\n" for n in functions))
    run(CC, "-g", "-O0", "-w", "-shared", "-fPIC", "-o", output, source)


def struct(declaration):
    """(name, members in order) of the declaration of a struct, else (None, [])."""
    found = re.match(r"(?:typedef )?struct (\w+) \{(.*)\}", declaration)
    return (found.group(1), split(found.group(2))) if found else (None, [])


def cut(declaration, cuts):
    """The declaration of a struct without the members that it grew by."""
    for member in cuts.get(struct(declaration)[0], []):
        declaration = declaration.replace(f" {member}", "", 1)
    return declaration


def grown(old, new):
    """What structs that begin with their size got at the end: {struct: members}."""
    was, now = (dict(struct(t) for t in abi.types) for abi in (old, new))
    return {n: now[n][len(was[n]):] for n in sorted(old.growable() & new.growable()) if len(now[n]) > len(was[n])}


def changed_types(old, new):
    """What abidiff says of the functions and types that both have: {name: its lines}."""
    functions = sorted(old.functions.keys() & new.functions.keys())
    types = [n for n in old.typedefs() if n in new.typedefs()]
    with tempfile.TemporaryDirectory() as scratch:
        before, after = pathlib.Path(scratch, "before.so"), pathlib.Path(scratch, "after.so")
        build_stub(old, functions, types, {}, before)
        build_stub(new, functions, types, grown(old, new), after)
        done = subprocess.run(["abidiff", "--no-show-locs", before, after], capture_output=True, text=True)
    if done.returncode & 3:  # errors; 4 and 8 are changes, which the report tells
        raise SystemExit(f"abidiff failed:\n{done.stdout}{done.stderr}")
    found = {}
    for block in re.split(r"^  (?=\[[ACD]\])", done.stdout, flags=re.M)[1:]:
        name = re.search(r"\b(?:a_type_|a_struct_)?(rondo_\w+|RONDO_FRAME)\(", block).group(1)
        found[name] = "\n    # ".join(block.split("\n\n")[0].splitlines())
    if done.returncode and not found:
        raise SystemExit(f"abidiff tells a change in a form that is not known here:\n{done.stdout}")
    return found


def padded(abi):
    """Structs that may grow, and would into their own padding: there a size does not tell whether a member is set."""
    last = {name: member_name(members[-1]) for name, members in map(struct, abi.types) if name in abi.growable()}
    ends = ask(abi, {n: f"sizeof({n}) - __builtin_offsetof({n}, {m}) - sizeof((({n} *)0)->{m})"
                     for n, m in last.items()})
    return [f"{name} ends in {end} bytes of padding: give them a name" for name, end in ends.items() if end]


def member_name(declaration):
    return re.search(r"(\w+)(\[\w*\])?;$", declaration).group(1)


def ask(abi, expressions):
    """Values of expressions, from a program that is compiled with the types and macros: {name: value}."""
    lines = "".join(f'printf("{name} %lld\\n", (long long)({e}));\n' for name, e in expressions.items())
    with tempfile.TemporaryDirectory() as scratch:
        program = f"{scratch}/ask"
        run(CC, "-x", "c", "-", "-o", program, text="#include <stdio.h>\n" + abi.text(list(abi.macros)) +
            f"int main(void) {{ {lines} return 0; }}\n")
        return {name: int(value) for name, value in (line.split() for line in run(program).splitlines())}
