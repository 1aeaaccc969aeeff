#!/usr/bin/env python3
"""clang-tidy over the sources below src/, or those named, each again only if something it depends on changed.

The key of a source is a hash of its own text, of every header it includes, of its compile command, of
.clang-tidy and of the clang-tidy that runs. Keys of clean sources are kept in the cache folder, which clones
share; a source with findings is never kept, so its findings come back until they are mended.
"""
import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys

TIDY, SCAN = "clang-tidy-19", "clang-scan-deps-19"


def includes(build, jobs):
    """{source: [every file it reads]} from clang-scan-deps, which only preprocesses: a few hundred files a second."""
    made = subprocess.run([SCAN, f"-compilation-database={build}/compile_commands.json", "-format=make", "-j", str(jobs)],
                          capture_output=True, text=True)
    found = {}
    for rule in made.stdout.replace("\\\n", " ").splitlines():
        names = rule.split(": ", 1)[-1].split()
        if names:
            found[str(pathlib.Path(build, names[0]).resolve())] = [str(pathlib.Path(build, name)) for name in names]
    return found


class Keys:
    def __init__(self, root):
        self.root = str(root)
        self.digests = {}
        self.version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout

    def digest(self, path):
        if path not in self.digests:
            self.digests[path] = hashlib.sha256(pathlib.Path(path).read_bytes()).digest()
        return self.digests[path]

    def key(self, entry, files):
        whole = hashlib.sha256(self.version)
        for folder in pathlib.Path(entry["file"]).parents:
            if (folder / ".clang-tidy").exists():
                whole.update(self.digest(str(folder / ".clang-tidy")))
            if str(folder) == self.root:
                break
        # Another clone of the same text has the same key.
        whole.update(entry.get("command", "").replace(self.root, "").encode())
        for path in files:
            whole.update(self.digest(path))
        return whole.hexdigest()


def tidy(entry, build, fix):
    command = [TIDY, "--quiet", "-p", build, *(["--fix"] if fix else []), entry["file"]]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line]
    errors = [line for line in done.stderr.splitlines() if re.search(r"\berror:", line)]
    return done.returncode == 0 and not lines, "\n".join(lines + errors)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", required=True)
    options.add_argument("--cache", required=True, type=pathlib.Path)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--fix", action="store_true")
    options.add_argument("files", nargs="*")
    args = options.parse_args()
    root = pathlib.Path.cwd()
    args.cache.mkdir(parents=True, exist_ok=True)

    database = json.loads(pathlib.Path(args.build, "compile_commands.json").read_text())
    wanted = {str(pathlib.Path(name).resolve()) for name in args.files}
    # Unless files are named, the product's own: each source costs as much as to compile it, and tests are read by two
    # compilers and two sanitizers anyway.
    entries = {entry["file"]: entry for entry in database
               if (entry["file"] in wanted if wanted else entry["file"].startswith(str(root / "src")))}
    if missing := wanted - set(entries):
        print(f"no target compiles {', '.join(sorted(missing))}")
        return 1
    keys, reads = Keys(root), includes(args.build, args.jobs)
    marks = {name: args.cache / keys.key(entry, reads[name]) if name in reads else None
             for name, entry in entries.items()}
    todo = [name for name, mark in marks.items() if mark is None or not mark.exists()]
    print(f"clang-tidy: {len(todo)} of {len(entries)} sources to look at", flush=True)

    # The findings of one header come with each source that includes it; once is enough.
    shown, broken = set(), 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        # Two sources may include one header, so what mends goes one by one.
        runs = map if args.fix else pool.map
        for number, (name, (clean, text)) in enumerate(
                zip(todo, runs(lambda name: tidy(entries[name], args.build, args.fix), todo)), 1):
            if clean:
                if marks[name]:
                    marks[name].touch()
                continue
            broken += 1
            if text not in shown:
                shown.add(text)
                print(f"[{number}/{len(todo)}] {pathlib.Path(name).relative_to(root)}\n{text}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
