#!/usr/bin/env python3
"""Includes may only point down. CMake links do not hold this: with one include root an upward include compiles."""
import pathlib
import re
import sys

# What each layer may include besides itself, from the bottom up. An adapter sees no other adapter.
BELOW = {
    "base": [],
    "domain": ["base"],
    "wire": ["base", "domain"],
    "formats": ["base", "domain"],
    "ports": ["base", "domain", "wire"],
    "journal": ["base", "domain", "wire", "formats", "ports"],
    "engine": ["base", "domain", "wire", "formats", "ports"],
    "profiles": ["base", "domain", "wire", "formats", "ports"],
    "adapters": ["base", "domain", "wire", "formats", "ports"],
    "http": ["base", "domain", "wire", "formats", "ports", "journal", "engine", "profiles"],
    "generate": ["base", "domain", "wire", "formats", "ports", "journal", "engine", "profiles"],
    "cli": ["base", "domain", "wire", "formats", "ports", "journal", "engine", "profiles", "http", "generate"],
}
BELOW["app"] = [*BELOW, "adapters"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]nostro/([^">]+)[">]')


def place(path):
    """The layer of a file below src/nostro; of an adapter its own folder, as adapters do not see each other."""
    parts = path.split("/")
    return (parts[0], "/".join(parts[:2]) if parts[0] == "adapters" else parts[0])


def findings(root):
    source = root / "src/nostro"
    for file in sorted([*source.rglob("*.hpp"), *source.rglob("*.cpp")]):
        layer, home = place(file.relative_to(source).as_posix())
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if found := INCLUDE.match(line):
                target, target_home = place(found[1])
                if layer not in BELOW or target not in BELOW:
                    yield f"{file}:{number}: {found[1]}: no layer of that name; tools/check_layers.py lists them"
                elif target_home != home and target not in BELOW[layer]:
                    yield f"{file}:{number}: {layer} may not include {found[1]}"


def main():
    found = list(findings(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
