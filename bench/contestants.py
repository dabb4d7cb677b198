"""contestants.py - gets what is missing, compiles the contestants, and runs one of them once."""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

from workloads import PYTHONS

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
TIME_LIMIT = 120  # seconds; for one run of one program

# name: (header to look for, Debian package, pkg-config name or None, linker options)
LIBRARIES = {
    "libev": ("ev.h", "libev-dev", None, ["-lev"]),
    "libuv": ("uv.h", "libuv1-dev", None, ["-luv"]),
    "libevent": ("event2/event.h", "libevent-dev", None, ["-levent_core", "-levent_pthreads"]),
    "glib": ("glib.h", "libglib2.0-dev", "glib-2.0", []),
    "asio": ("asio.hpp", "libasio-dev", None, []),
    "boost_context": ("boost/context/fiber.hpp", "libboost-context-dev", None, ["-lboost_context"]),
    "boost_fiber": ("boost/fiber/all.hpp", "libboost-fiber-dev", None, ["-lboost_fiber", "-lboost_context"]),
}


def quiet(command, **options):
    """Run a command; true if it is there and succeeded."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options).returncode == 0
    except OSError:
        return False


def has_header(header):
    """Whether the C++ compiler finds it; the pkg-config directories are asked for, too."""
    flags = next((pkg_config(p) for h, _, p, _ in LIBRARIES.values() if h == header and p), [])
    includes = [flag for flag in flags if flag.startswith("-I")]
    return quiet(["g++", *includes, "-E", "-x", "c++", "-"], text=True,
                 input=f"#if !__has_include(<{header}>)\n#error missing\n#endif\n")


def pkg_config(name):
    if shutil.which("pkg-config") is None:
        return []
    asked = subprocess.run(["pkg-config", "--cflags", "--libs", name], capture_output=True, text=True)
    return shlex.split(asked.stdout)


def install_missing():
    """Ask apt-get for what is missing; going on without is fine, the contestant is a '-' then."""
    missing = [tool for tool in ("gcc", "g++", "pkg-config") if shutil.which(tool) is None]
    missing += [package for header, package, _, _ in LIBRARIES.values()
                if "g++" in missing or not has_header(header)]
    if not quiet([sys.executable, "-c", "import ensurepip, venv"]):
        missing.append("python3-venv")
    if not missing or shutil.which("apt-get") is None:
        return
    print("installing:", *missing, flush=True)
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    quiet([*apt, "update"])
    # one by one: one that cannot be had must not keep out the others
    for package in missing:
        if not quiet([*apt, "install", "-y", "--no-install-recommends", package]):
            print(f"could not install {package}")


def python_with_uvloop(build):
    """An interpreter for both Python contestants: the same one, with uvloop if pip can get it."""
    venv = build / "venv"
    python = venv / "bin" / "python"
    if not quiet([str(python), "-c", "import uvloop"]):
        quiet([sys.executable, "-m", "venv", str(venv)])
        quiet([str(python), "-m", "pip", "install", "-q", "--only-binary", ":all:", "uvloop"])
    return str(python) if quiet([str(python), "-c", "import asyncio"]) else sys.executable


def compile_command(source, program, contestant, family, library):
    flags = ["-O2", "-Wall", "-Wextra", "-pthread", "-I", str(TOP / "include")]
    if source.suffix == ".cpp":
        command = ["g++", "-std=c++20", *flags, "-DASIO_STANDALONE"]
    else:
        command = ["gcc", "-std=gnu11", *flags]
    _, _, package, libraries = LIBRARIES.get(contestant, (None, None, None, []))
    found = pkg_config(package) if package else []
    if family == "load":  # dlopen() finds the library, nothing is linked
        libraries, found = [], [flag for flag in found if flag.startswith("-I")]
        libraries += [f"-Wl,-rpath,{library}"] if contestant == "rondo" else []
    elif contestant.startswith("rondo"):
        libraries = ["-L", str(library), "-lrondo", f"-Wl,-rpath,{library}"]
    return [*command, str(source), "-o", str(program), *libraries, *found]


def first_error(output):
    lines = [line for line in output.splitlines() if "error" in line or "undefined" in line]
    return next(iter(lines), output.strip())


class Contest:
    """The programs, and why one of them could not be had."""

    def __init__(self, library, peers_only):
        self.library, self.peers_only = library, peers_only
        self.build = library / "bench"
        self.build.mkdir(parents=True, exist_ok=True)
        self.python = python_with_uvloop(self.build)
        self.commands, self.troubles = {}, {}

    def command(self, workload, contestant):
        key = (workload.family, contestant)
        if key not in self.commands:
            self.commands[key] = self.make(*key)
        return self.commands[key]

    def make(self, family, contestant):
        if contestant in PYTHONS:
            if not quiet([self.python, "-c", f"import {contestant}"]):
                return self.trouble(family, contestant, "pip could not install it")
            return [self.python, str(HERE / family / "loop.py")]
        if contestant.startswith("rondo") and self.peers_only:
            return None
        source = next(iter(HERE.glob(f"{family}/{contestant}.c*")))
        program = self.build / f"{family}-{contestant}"
        commands = [compile_command(source, program, contestant, family, self.library)]
        shared = source.with_suffix(".so.c")
        if shared.exists():  # a contestant that brings a library of its own
            beside = program.with_suffix(".so")
            commands.insert(0, [*compile_command(shared, beside, contestant, family, self.library), "-shared", "-fPIC"])
            commands[1] += [str(beside)]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                return self.trouble(family, contestant, "does not build: " + first_error(done.stderr))
            if done.stderr:
                print(done.stderr, file=sys.stderr)
        return [str(program)]

    def trouble(self, family, contestant, why):
        self.troubles[family, contestant] = why

    def run_once(self, workload, contestant, divisor):
        """One number from one run, or None."""
        command = self.command(workload, contestant)
        if command is None:
            return None
        count = max(workload.counts.get(contestant, workload.count) // divisor, 1000)
        command = [*command, workload.work, str(count)] + ([contestant] if contestant in PYTHONS else [])
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
            return float(done.stdout) if done.returncode == 0 else self.failed(workload, contestant, done.stderr)
        except (subprocess.TimeoutExpired, ValueError) as error:
            return self.failed(workload, contestant, str(error))

    def failed(self, workload, contestant, why):
        self.commands[workload.family, contestant] = None  # once is enough
        self.trouble(workload.family, contestant, f"{workload.name}: {why.strip() or 'failed'}")
