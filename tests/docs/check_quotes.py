#!/usr/bin/env python3
"""Compares what a program prints with what a Markdown page quotes of it.

The page quotes it in fences "```text NAME", NAME the program's source file; the n-th one is the n-th paragraph of the output.
The program must exit with 0. CLEAVE_WRITE_PAGES=1 in the environment writes the fences again.

    check_quotes.py PAGE NAME PROGRAM
"""
import os
import re
import subprocess
import sys


def fences(name):
    return re.compile(r"(^```text " + re.escape(name) + r"\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)


def written(text, name, paragraphs):
    """The page with its fences filled in."""
    left = iter(paragraphs)
    return fences(name).sub(lambda match: match[1] + next(left, "") + match[3], text)


def main():
    page, name, program = sys.argv[1:]
    done = subprocess.run([program], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{name}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    paragraphs = [paragraph.strip("\n") + "\n" for paragraph in done.stdout.split("\n\n")]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    if os.environ.get("CLEAVE_WRITE_PAGES"):
        text = written(text, name, paragraphs)
        with open(page, "w", encoding="utf-8") as file:
            file.write(text)
    quoted = [match[2] for match in fences(name).finditer(text)]
    for i in range(max(len(quoted), len(paragraphs))):
        expected, printed = (list[i] if i < len(list) else "(nothing)\n" for list in (quoted, paragraphs))
        if expected != printed:
            sys.exit(f"{page}, quote {i + 1} of {name}; the page has\n{expected}the program prints\n{printed}"
                     "CLEAVE_WRITE_PAGES=1 in the environment writes it again")
    print(f"{page} quotes {name} truly ({len(quoted)} paragraphs)")


if __name__ == "__main__":
    main()
