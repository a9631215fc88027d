#!/usr/bin/env python3
"""Runs every command of a Markdown page's ```console blocks and compares what it prints with what the page shows.

Lines that start with "$ " are commands (a trailing backslash continues them); the lines below are their output. Numbers
are compared as "a number stands here", because times and last digits differ between machines; a line "..." stands for
any number of lines. A command must exit with 0, or with N when the line before it is "# exits with N".

    run_commands.py README.md --bin build/release/bin
"""
import argparse
import os
import re
import subprocess
import sys


def blocks(text):
    """The bodies of ```console fences."""
    return re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def steps(block):
    """(command, expected exit status, expected output lines) in order."""
    result, lines, status, i = [], block.splitlines(), 0, 0
    while i < len(lines):
        line = lines[i]
        i += 1
        match = re.match(r"# exits with (\d+)", line)
        if match:
            status = int(match.group(1))
        elif line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + lines[i].strip()
                i += 1
            result.append((command, status, []))
            status = 0
        elif result:
            result[-1][2].append(line)
    return result


def masked(line):
    """The line with numbers, runs of blanks and unit prefixes replaced."""
    line = re.sub(r"\d+( \d{3})+", "#", line)
    line = re.sub(r"\d+(\.\d+)?(e[-+]?\d+)?", "#", line)
    line = re.sub(r"# [kMG]?B\b", "# B", line)
    return " ".join(line.split())


def matches(expected, printed):
    """True when the printed lines fit the expected ones; "..." stands for any lines."""
    if not expected:
        return not printed
    if expected[0] == "...":
        return any(matches(expected[1:], printed[skip:]) for skip in range(len(printed) + 1))
    return bool(printed) and expected[0] == printed[0] and matches(expected[1:], printed[1:])


def meaningful(lines):
    return [masked(line) if line.strip() != "..." else "..." for line in lines if line.strip()]


def run(command, status, expected, environment):
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)
    print(f"$ {command}\n{done.stdout}{done.stderr}", end="", flush=True)
    if done.returncode != status:
        return f"exit status {done.returncode}, expected {status}"
    printed = meaningful((done.stdout + done.stderr if status else done.stdout).splitlines())
    if expected and not matches(meaningful(expected), printed):
        return "prints something else than the page shows:\n  " + "\n  ".join(printed)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page")
    parser.add_argument("--bin", required=True)
    options = parser.parse_args()
    environment = dict(os.environ, PATH=os.path.abspath(options.bin) + ":" + os.environ["PATH"])
    failures, count = [], 0
    with open(options.page, encoding="utf-8") as page:
        text = page.read()
    for block in blocks(text):
        for command, status, expected in steps(block):
            count += 1
            failure = run(command, status, expected, environment)
            if failure:
                failures.append(f"{command}\n  {failure}")
    for failure in failures:
        print("FAILED " + failure, file=sys.stderr)
    print(f"{options.page}: {count - len(failures)} passed, {len(failures)} failed")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
