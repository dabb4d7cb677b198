# symbols.py - what a shared library exports. A module for the tools that compare that with something.
import subprocess


def exported(library):
    """{name: version} of what the dynamic linker can see, without the versions' own symbols; "" for no version."""
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", str(library)], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    pairs = (line.split()[-1].replace("@@", "@").partition("@") for line in lines if line.split()[1] != "A")
    return {name: version for name, _, version in pairs}
