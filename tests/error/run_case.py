#!/usr/bin/env python3
"""Runs one bad-input case: a folder with case.json.

{"before": [[...], ...],      cleave commands that prepare the work folder; each must succeed
 "links": {"name": target},   symbolic links made in a copy of the case folder
 "arguments": [...],          the command under test
 "exit": 3,                   its exit code
 "stderr": ["...", ...],      regular expressions that its messages must match
 "stdout": "empty"|"any",     default empty
 "leaves": [...]}             files it may leave in the work folder; default none

{case}, {work}, {fixtures} and {source} stand for folders. The command must leave everything in the work folder as it was.

    run_case.py CLEAVE CASE_FOLDER
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile


def snapshot(folder):
    """Relative path -> hash of every file below a folder."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as data:
                found[os.path.relpath(path, folder)] = hashlib.sha256(data.read()).hexdigest()
    return found


def run(cleave, arguments, places):
    command = [cleave] + [re.sub(r"\{(\w+)\}", lambda m: places[m.group(1)], text) for text in arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, cwd=places["work"])


def complaints(case, done, before, after):
    """What the command did otherwise than the case says."""
    if done.returncode != case["exit"]:
        yield f"exit code {done.returncode}, expected {case['exit']}"
    for pattern in case["stderr"]:
        if not re.search(pattern, done.stderr):
            yield f"no message matches /{pattern}/"
    if case.get("stdout", "empty") == "empty" and done.stdout:
        yield f"stdout is not empty: {done.stdout[:200]!r}"
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    extra = changed - set(case.get("leaves", []))
    if extra:
        yield f"files changed: {sorted(extra)}"


def main(cleave, folder):
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as text:
        case = json.load(text)
    with tempfile.TemporaryDirectory(prefix="cleave_error_") as temporary:
        here = os.path.join(temporary, "case")
        work = os.path.join(temporary, "work")
        shutil.copytree(folder, here)
        shutil.copytree(os.path.join(folder, "..", "fixtures"), os.path.join(temporary, "fixtures"))
        os.mkdir(work)
        places = {"case": here, "work": work, "fixtures": os.path.join(temporary, "fixtures"),
                  "source": os.path.abspath(os.path.join(folder, "..", "..", ".."))}
        for name, target in case.get("links", {}).items():
            os.symlink(target, os.path.join(here, name))
        for arguments in case.get("before", []):
            done = run(cleave, arguments, places)
            if done.returncode != 0:
                print(f"preparing failed: {arguments}\n{done.stderr}")
                return 1
        before = snapshot(work)
        done = run(cleave, case["arguments"], places)
        print(done.stderr, end="")
        failures = list(complaints(case, done, before, snapshot(work)))
    for failure in failures:
        print("FAILED: " + failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])))
