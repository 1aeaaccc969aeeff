#!/usr/bin/env python3
"""Stops growth: a function over 70 lines, or a file over 500, needs a comment that says why.

For a function the comment stands right above it and says `// long: REASON`; for a file it stands among its
first 30 lines and says `// long file: REASON` (`#` in Python and shell). A reason has at least three words.

And there is no floating point where amounts are: none of the folders of EXACT has a word of it.
"""
import pathlib
import re
import subprocess
import sys

FUNCTION_LINES, FILE_LINES = 70, 500
EXACT = re.compile(r"src/nostro/(?:adapters|domain|formats|http|ports|profiles|wire)/")
FLOATING = re.compile(r"\b(?:float|double|_Float\w+|strto[fd]|strtold|sto[fd]|stold|atof)\b")
KINDS = (".cpp", ".hpp", ".py", ".sh", ".ts", ".tsx", ".java")
SCOPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b", re.S)
REASON = r"(?://|#|\*)\s*{}:\s*\S+\s+\S+\s+\S+"
# Comments, raw strings, strings, characters and whole preprocessor lines: nothing in them opens a function.
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    r"|^[ \t]*#(?:\\\n|[^\n])*", re.S | re.M)


def code_of(text):
    """The text with blanks for its noise, line by line."""
    return NOISE.sub(lambda noise: re.sub(r"[^\n]", " ", noise[0]), text)


def functions(text):
    """(first line, last line) of each function that is not inside another."""
    code = code_of(text)
    stack, statement, line = [], "", 1
    begins = 1
    for char in code:
        if char == "{":
            head = re.sub(r"^\s*(?:(?:public|private|protected)\s*:\s*)*", "", statement)
            is_scope = bool(SCOPE.match(head))
            outer = all(kind == "scope" for kind, _ in stack)
            called = ")" in head and not re.search(r"(?<![=!<>])=(?!=)[^()]*$", re.sub(r"\([^()]*\)", "", head))
            stack.append(("scope" if is_scope else "function" if outer and called else "other", begins))
            statement = ""
        elif char == "}":
            if stack:
                kind, first = stack.pop()
                if kind == "function":
                    yield first, line
            statement = ""
        elif char == ";":
            statement = ""
        elif char.strip() or statement:
            if not statement:
                begins = line
            statement += char
        line += char == "\n"


def comment_above(lines, first):
    """The comment lines that stand right above line `first`."""
    above = []
    for line in reversed(lines[: first - 1]):
        if not line.strip().startswith("//"):
            break
        above.append(line)
    return "\n".join(above)


def findings(path, text):
    lines = text.splitlines()
    if len(lines) > FILE_LINES and not re.search(REASON.format("long file"), "\n".join(lines[:30])):
        yield f"{path}:1: {len(lines)} lines, over {FILE_LINES}: split it by idea, or say why: // long file: REASON"
    if EXACT.match(path):
        for number, line in enumerate(code_of(text).splitlines(), 1):
            if FLOATING.search(line):
                yield f"{path}:{number}: floating point where amounts are: whole minor units, or a text"
    if path.endswith((".cpp", ".hpp")):
        for first, last in functions(text):
            length = last - first + 1
            if length > FUNCTION_LINES and not re.search(REASON.format("long"), comment_above(lines, first)):
                yield f"{path}:{first}: a function of {length} lines, over {FUNCTION_LINES}: split it, or say why: // long: REASON"


def main():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True, text=True).stdout.split("\0")
    found = []
    for path in sorted(set(listed)):
        if path.endswith(KINDS) and pathlib.Path(path).is_file():
            found += findings(path, pathlib.Path(path).read_text())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
