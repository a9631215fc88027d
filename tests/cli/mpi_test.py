#!/usr/bin/env python3
"""Calibration under a real mpirun gives the bytes of one run. mpi_test.py CLEAVE SOURCE_DIR; exits with 77 without mpirun."""
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile

CLEAVE, SOURCE = sys.argv[1:]
SCRIPT = os.path.join(SOURCE, "scripts", "calibrate_mpi.sh")
EXAMPLES = os.path.join(SOURCE, "examples")
ARGUMENTS = [os.path.join(EXAMPLES, "model", "signs.onnx"), "--images", os.path.join(EXAMPLES, "images", "calibration"),
             "--preprocess", os.path.join(EXAMPLES, "preprocess.json"), "--limit", "40", "-j", "1"]
MPIRUN = ["mpirun", "--oversubscribe", "-n", "3"]
ENVIRONMENT = dict(os.environ, CLEAVE=CLEAVE, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   CLEAVE_WAIT_S="120")


def check(condition, message):
    if not condition:
        sys.exit("FAILED: " + message)


def mpirun(output, arguments):
    return subprocess.run([*MPIRUN, SCRIPT, output, *arguments], env=ENVIRONMENT, capture_output=True, text=True,
                          timeout=300)


def main():
    if shutil.which("mpirun") is None:
        print("SKIPPED: mpirun (Debian: openmpi-bin) is absent")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="cleave_mpi_") as work:
        single, merged = os.path.join(work, "single.json"), os.path.join(work, "merged.json")
        subprocess.run([CLEAVE, "calibrate", *ARGUMENTS, "--quiet", "-o", single], check=True, capture_output=True)
        job = mpirun(merged, ARGUMENTS)
        check(job.returncode == 0, job.stderr)
        check(filecmp.cmp(single, merged, shallow=False), "the merged table differs from that of one run")
        check(sorted(os.listdir(work)) == ["merged.json", "single.json"], "shares are left behind")
        failed = mpirun(os.path.join(work, "none.json"), ["no-such-model.onnx", "--images", work])
        check(failed.returncode != 0, "a share that fails must fail the job")
        check(not os.path.exists(os.path.join(work, "none.json")), "a failed job leaves no table")
    print("3 processes, same bytes")


main()
