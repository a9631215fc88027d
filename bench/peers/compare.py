#!/usr/bin/env python3
"""cleave beside ONNX Runtime, and beside itself: both sides stay alive and run in turns, on the same input bytes.

    compare.py [--mode latency|int8|batch|start|memory] [--build build/release] [--work build/networks]
               [--models ../shared/data/models] [--ort build/ort] [--precision f32,int8] [--threads 1,2]
               [--only NAME[,NAME..]] [--repeats N] [--cap ISA] [--json FILE]

latency  median of each side and their ratio (above 1: cleave is faster); outputs are compared first: float must agree
         within 1e-4 of the range; of int8 the largest difference, the share of values that differ and the share of
         rows with the same argmax are shown (a code that falls the other way early grows through a deep network).
         "net" is the ratio with the time of a call taken off both sides, as the network one_relu shows it
int8     cleave's int8 against cleave's float
batch    cleave: eight runs of one image against one run of eight
start    milliseconds from the model's file to the first answer, a new process each time
memory   peak resident memory of each process, and what loading and running added to it

--cap sets ONEDNN_MAX_CPU_ISA (SSE41, AVX2, AVX2_VNNI, AVX512_CORE, AVX512_CORE_VNNI, ...) for cleave alone. Runs come in
blocks of five, one side after the other. Networks are made by bench_networks where they are not there yet.
Exit code 1 when outputs disagree or a side fails.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCK = 5
CALL = "one_relu"  # a network without work: the cost of a call
SETTLE_S = 0.01  # a process that used next to no CPU for so long has stopped spinning
BATCH = 8
FLOAT_ERROR = 1e-4


class PeerFailed(Exception):
    pass


class Peer:
    """A process that answers a line of JSON with a line of JSON."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerFailed(f"{self.process.args[0]} ended with {self.process.wait()}")
        reply = json.loads(line)
        if "failed" in reply:
            raise PeerFailed(f"{os.path.basename(self.process.args[0])}: {reply['failed']}")
        return reply

    def cpu_s(self):
        """CPU time of all its threads."""
        folder = f"/proc/{self.process.pid}/task"
        nanoseconds = 0
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/schedstat", encoding="ascii") as file:
                nanoseconds += int(file.read().split()[0])
        return nanoseconds / 1e9

    def settle(self):
        """Waits until its threads sleep: ONNX Runtime's spin for some 40 ms after a run, OpenMP's for some 8 ms, and
        would take a CPU from the other side."""
        used = self.cpu_s()
        for _ in range(100):
            time.sleep(SETTLE_S)
            before, used = used, self.cpu_s()
            if used - before < SETTLE_S / 20:
                return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Bench:
    def __init__(self, options):
        self.options = options
        self.bin = os.path.join(options.build, "bin")
        self.calls = {}  # threads -> call_ms

    def cleave(self):
        cap = {"ONEDNN_MAX_CPU_ISA": self.options.cap} if self.options.cap else {}
        return Peer([os.path.join(self.bin, "peer_cleave")], cap)

    def ort(self):
        return Peer(["node", os.path.join(HERE, "peer_ort.js")], {"CLEAVE_ORT": os.path.abspath(self.options.ort)})

    def make_networks(self):
        """Writes what is missing; the names to measure."""
        for name in [*self.options.only, CALL] if self.options.only else [""]:
            only = ["--only", name] if name else []
            subprocess.run([os.path.join(self.bin, "bench_networks"), self.options.work, "--models",
                            self.options.models, *only], check=True, stdout=sys.stderr)
        if self.options.only:
            return self.options.only
        files = (file for file in os.listdir(self.options.work) if file.endswith(".f32.onnx"))
        return sorted({file[:-len(".f32.onnx")] for file in files} - {CALL})

    def call_ms(self, threads):
        """Milliseconds of a call of either side that computes next to nothing."""
        if threads not in self.calls:
            with tempfile.TemporaryDirectory() as folder, self.cleave() as ours, self.ort() as theirs:
                inputs = self.load_cleave(ours, CALL, "f32", threads, folder)["inputs"]
                self.load_ort(theirs, CALL, "f32", threads, inputs)
                self.calls[threads] = [statistics.median(side) for side in self.take_turns(ours, theirs)]
        return self.calls[threads]

    def model(self, name, precision, batch=1):
        middle = ".b8" if batch > 1 and precision == "int8" else ""
        return os.path.abspath(os.path.join(self.options.work, f"{name}.{precision}{middle}.onnx"))

    def load_cleave(self, peer, name, precision, threads, folder, batch=1):
        return peer.ask(load=self.model(name, precision, batch), threads=threads, batch=batch, inputs=folder)

    def load_ort(self, peer, name, precision, threads, inputs):
        return peer.ask(load=self.model(name, precision), threads=threads, inputs=inputs)

    def take_turns(self, left, right):
        """Milliseconds of each side over --repeats blocks; the first block of each warms up."""
        times = ([], [])
        for block in range(self.options.repeats + 1):
            for side, peer in enumerate((left, right)):
                ms = peer.ask(run=BLOCK)["ms"]
                if block > 0:
                    times[side].extend(ms)
                peer.settle()
        return times


def row_of(name, precision, threads, left, right, scale=1.0):
    """One line of a table of times: `scale` left runs stand against one right run."""
    medians = statistics.median(left) * scale, statistics.median(right)
    return {"network": name, "precision": precision, "threads": threads, "left_ms": medians[0], "right_ms": medians[1],
            "ratio": medians[1] / medians[0], "ratio_of_minima": min(right) / (min(left) * scale)}


def latency(bench, name, precision, threads, folder):
    with bench.cleave() as ours, bench.ort() as theirs:
        inputs = bench.load_cleave(ours, name, precision, threads, folder)["inputs"]
        bench.load_ort(theirs, name, precision, threads, inputs)
        theirs.ask(save=folder)
        difference = ours.ask(compare=folder)
        row = row_of(name, precision, threads, *bench.take_turns(ours, theirs))
    call = bench.call_ms(threads)
    row["net_ratio"] = max(row["right_ms"] - call[1], 1e-6) / max(row["left_ms"] - call[0], 1e-6)
    return {**row, **difference, "agrees": precision == "int8" or difference["error"] <= FLOAT_ERROR}


def int8(bench, name, _, threads, folder):
    with bench.cleave() as narrow, bench.cleave() as wide:
        bench.load_cleave(narrow, name, "int8", threads, folder)
        bench.load_cleave(wide, name, "f32", threads, folder)
        return row_of(name, "int8", threads, *bench.take_turns(narrow, wide))


def batch(bench, name, precision, threads, folder):
    with bench.cleave() as eight, bench.cleave() as one:
        bench.load_cleave(eight, name, precision, threads, folder, BATCH)
        bench.load_cleave(one, name, precision, threads, folder)
        times = bench.take_turns(eight, one)
        return row_of(name, precision, threads, times[0], [BATCH * ms for ms in times[1]])


def start(bench, name, precision, threads, folder):
    times = ([], [])
    for _ in range(bench.options.repeats):
        with bench.cleave() as ours:
            loaded = bench.load_cleave(ours, name, precision, threads, folder)
            times[0].append(loaded["ms"])
        with bench.ort() as theirs:
            times[1].append(bench.load_ort(theirs, name, precision, threads, loaded["inputs"])["ms"])
    return row_of(name, precision, threads, *times)


def memory(bench, name, precision, threads, folder):
    with bench.cleave() as ours, bench.ort() as theirs:
        inputs = bench.load_cleave(ours, name, precision, threads, folder)["inputs"]
        bench.load_ort(theirs, name, precision, threads, inputs)
        for peer in (ours, theirs):
            peer.ask(run=BLOCK)
        left, right = ours.ask(memory=True), theirs.ask(memory=True)
    added = [side["peak_kb"] - side["before_load_kb"] for side in (left, right)]
    return {"network": name, "precision": precision, "threads": threads, "left_mb": left["peak_kb"] / 1024,
            "right_mb": right["peak_kb"] / 1024, "left_added_mb": added[0] / 1024, "right_added_mb": added[1] / 1024,
            "ratio": added[1] / max(added[0], 1)}


# mode -> (measurement, the left side, the right side, precisions that make sense)
MODES = {"latency": (latency, "cleave", "ORT", ("f32", "int8")),
         "int8": (int8, "int8", "float", ("int8",)),
         "batch": (batch, "batch 8", "8 x 1", ("f32", "int8")),
         "start": (start, "cleave", "ORT", ("f32", "int8")),
         "memory": (memory, "cleave", "ORT", ("f32", "int8"))}


def cells(row, mode):
    unit = "mb" if mode == "memory" else "ms"
    values = [row["network"], row["precision"], str(row["threads"]), f"{row['left_' + unit]:.3f}",
              f"{row['right_' + unit]:.3f}", f"{row['ratio']:.3f}"]
    if mode == "memory":
        return values + [f"{row['left_added_mb']:.1f}", f"{row['right_added_mb']:.1f}"]
    values.append(f"{row['ratio_of_minima']:.3f}")
    if mode == "latency":
        values += [f"{row['net_ratio']:.3f}", f"{row['error']:.1e}", f"{100 * row['differing']:.3f}", f"{row['argmax']:.2f}",
                   "" if row["agrees"] else "DISAGREES"]
    return values


def header(mode, left, right):
    unit = "MB" if mode == "memory" else "ms"
    names = ["network", "precision", "threads", f"{left} {unit}", f"{right} {unit}", "ratio"]
    if mode == "memory":
        return names + [f"{left} +MB", f"{right} +MB"]
    names.append("of minima")
    return names + (["net", "error", "differ %", "argmax", ""] if mode == "latency" else [])


def print_table(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())


def spread(ratios):
    mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
    return f"geometric mean {mean:.3f}, least {min(ratios):.3f}, median {statistics.median(ratios):.3f}"


def print_summary(rows):
    """Geometric mean, least and median of the ratios of each precision and thread count."""
    for key in sorted({(row["precision"], row["threads"]) for row in rows}):
        group = [row for row in rows if (row["precision"], row["threads"]) == key]
        print(f"{key[0]}, {key[1]} threads, {len(group)} networks: {spread([row['ratio'] for row in group])}")
        if "net_ratio" in group[0]:
            print(f"  without the time of a call: {spread([row['net_ratio'] for row in group])}")


def measure_all(bench, options):
    measure, _, _, precisions = MODES[options.mode]
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in bench.make_networks():
            for precision in (p for p in options.precision.split(",") if p in precisions):
                for threads in (int(count) for count in options.threads.split(",")):
                    try:
                        rows.append(measure(bench, name, precision, threads, folder))
                        print("  ".join(cells(rows[-1], options.mode)), file=sys.stderr)
                    except PeerFailed as error:
                        failed.append(f"{name} {precision} {threads}: {error}")
    return rows, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=MODES, default="latency")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--work", default="build/networks")
    parser.add_argument("--models", default="../shared/data/models")
    parser.add_argument("--ort", default="build/ort")
    parser.add_argument("--precision", default="f32,int8")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--repeats", type=int, default=10, help="blocks of five runs per side (start: processes)")
    parser.add_argument("--cap", default="")
    parser.add_argument("--json", default="")
    options = parser.parse_args()

    bench = Bench(options)
    subprocess.run([os.path.join(HERE, "install_ort.sh"), options.ort], check=True, stdout=sys.stderr)
    rows, failed = measure_all(bench, options)
    _, left, right, _ = MODES[options.mode]
    for threads, call in bench.calls.items():
        print(f"a call, {threads} threads: {left} {call[0]:.3f} ms, {right} {call[1]:.3f} ms")
    if rows:
        print_table([header(options.mode, left, right)] + [cells(row, options.mode) for row in rows])
        print_summary(rows)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"mode": options.mode, "cap": options.cap, "rows": rows, "failed": failed}, out, indent=1)
    for line in failed:
        print("FAILED " + line)
    return 1 if failed or any(not row.get("agrees", True) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
