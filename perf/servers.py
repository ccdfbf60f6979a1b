# SPDX-License-Identifier: BSD-3-Clause
"""Servers beside each other, all asked by weir-load: Weir, testpmd, Linux.

Everything lies in one network namespace that is removed afterwards: memif's sockets, and a veth
pair whose one end is weir-load's.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import plot

CLIENT, SERVER = "10.82.0.2", "10.82.0.1"
CLIENT_MAC, SERVER_MAC = "02:00:00:82:00:02", "02:00:00:82:00:01"
WAIT_S = 60

# label, arguments of weir-load
ROWS = [
    ("tcp request/response, 1 conn", ["--conns=1"]),
    ("tcp request/response, 64 conns", ["--conns=64"]),
    ("tcp request/response, 16 in flight", ["--conns=64", "--depth=16"]),
    ("http keep-alive, 64 bytes", ["--protocol=http", "--path=/size/64", "--conns=64"]),
    ("http keep-alive, 4 KiB", ["--protocol=http", "--path=/size/4K", "--conns=64"]),
    ("http, 64 bytes, 16 pipelined", ["--protocol=http", "--path=/size/64", "--conns=64",
                                      "--depth=16"]),
    ("http, the client closes", ["--protocol=http", "--path=/size/64", "--conns=64",
                                 "--close=client"]),
    ("http, the server closes", ["--protocol=http", "--path=/size/64", "--conns=64",
                                 "--close=server"]),
    ("udp echo, 1 under way", ["--protocol=udp"]),
    ("udp echo, 64 sockets", ["--protocol=udp", "--conns=64"]),
]

CONF = """
[stack]
name = {name}
[eal]
vdev = {vdev}
file_prefix = {name}-{pid}
hugepages = {hugepages}
memory = 256
telemetry = no
extra = --log-level=4 --log-level=pmd.net.memif:emergency
[workers]
cpus = {cpu}
[port p0]
device = {device}
address = {address}/24
ipv6 = no
{offloads}
[neighbour other]
address = {other}
mac = {other_mac}
port = p0
"""


def memif(role, pid):
    return f"net_memif0,role={role},id=0,mac={mac_of(role)},socket=weir-served-{pid}"


def mac_of(role):
    return SERVER_MAC if role == "server" else CLIENT_MAC


class Bed:
    """The namespace, configurations, and what runs in it."""

    def __init__(self, build, cpus, is_huge):
        self.build, self.cpus = build, cpus
        self.hugepages = "yes" if is_huge else "no"
        self.name = f"weir-served-{os.getpid()}"
        self.dir = tempfile.TemporaryDirectory()

    def __enter__(self):
        self.ip("netns", "add", self.name)
        self.inside("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        self.dir.cleanup()

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)

    def inside(self, *words):
        self.ip("-n", self.name, *words)

    def conf(self, role, port):
        """A configuration file for one end of memif or veth."""
        is_server = role == "server"
        is_veth = port == "veth"
        path = os.path.join(self.dir.name, f"{role}-{port}.conf")
        with open(path, "w") as file:
            file.write(CONF.format(
                name=role, pid=os.getpid(), hugepages=self.hugepages,
                vdev=(f"net_af_packet0,iface=perf-{role},qpairs=1" if is_veth
                      else memif(role, os.getpid())),
                device="net_af_packet0" if is_veth else "net_memif0",
                cpu=self.cpus[0 if is_server else 1],
                address=SERVER if is_server else CLIENT,
                other=CLIENT if is_server else SERVER,
                other_mac=mac_of("client" if is_server else "server"),
                offloads="offloads_off = rx_checksum, tx_checksum" if is_veth else ""))
        return path

    def make_veth(self, is_kernels):
        self.inside("link", "add", "perf-server", "address", SERVER_MAC, "type", "veth",
                    "peer", "name", "perf-client", "address", CLIENT_MAC)
        for side in ("perf-server", "perf-client"):
            self.inside("link", "set", side, "up")
            # what the kernel sends must have its checksums; af_packet knows no super-segments
            subprocess.run(["ip", "netns", "exec", self.name, "ethtool", "-K", side, "tx", "off",
                            "tso", "off", "gso", "off"], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if is_kernels:
            self.inside("address", "add", f"{SERVER}/24", "dev", "perf-server")

    def drop_veth(self):
        subprocess.run(["ip", "-n", self.name, "link", "del", "perf-server"], check=False)

    @contextlib.contextmanager
    def program(self, words, ready):
        """Run a server until the end of the with block; it is ready when it says so."""
        log = os.path.join(self.dir.name, "log")
        with open(log, "w") as out, subprocess.Popen(
                ["ip", "netns", "exec", self.name, *words], stdin=subprocess.PIPE, stdout=out,
                stderr=subprocess.STDOUT) as process:
            try:
                end = time.monotonic() + WAIT_S
                while not re.search(ready, text(log), re.M):
                    if process.poll() is not None or time.monotonic() > end:
                        raise RuntimeError(f"{words[0]} does not start:\n{text(log)[-600:]}")
                    time.sleep(0.05)
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


@contextlib.contextmanager
def weir(bed, port, row):
    program = "weir-httpd" if "http" in row else "weir-echo"
    if port == "veth":
        bed.make_veth(False)
    try:
        with bed.program([f"{bed.build}/app/{program}", bed.conf("server", port)], ": ready$"):
            yield
    finally:
        if port == "veth":
            bed.drop_veth()


@contextlib.contextmanager
def rings(bed, port, row):
    """An application's thread behind a queue of messages, on the worker's CPU."""
    with bed.program(["taskset", "-c", str(bed.cpus[0]), f"{bed.build}/app/async_server",
                      bed.conf("server", port)], ": ready$"):
        yield


@contextlib.contextmanager
def testpmd(bed, port, row):
    """5tswap: MAC addresses, addresses and ports swapped, so that a datagram is its own answer."""
    memory = ["--no-huge"] if bed.hugepages == "no" else ["--in-memory"]
    words = ["dpdk-testpmd", "--lcores", f"0@{bed.cpus[1]},1@{bed.cpus[0]}", "--no-pci",
             "--no-telemetry", "--file-prefix", f"testpmd-{os.getpid()}", "-m", "256", *memory,
             "--vdev", memif("server", os.getpid()), "--", "--forward-mode=5tswap", "--auto-start",
             "--total-num-mbufs=8192", "--nb-cores=1", "--no-lsc-interrupt", "--stats-period=1"]
    with bed.program(words, "5tswap packet forwarding|Port statistics"):
        yield


@contextlib.contextmanager
def linux(bed, port, row):
    bed.make_veth(True)
    try:
        with bed.program(["taskset", "-c", str(bed.cpus[0]), f"{bed.build}/perf/weir-perf-linux"],
                         ": ready$"):
            yield
    finally:
        bed.drop_veth()


# name, how it is started, port, rows
SERVERS = [
    ("Weir, memif", weir, "memif", ""),
    ("Weir by messages, memif", rings, "memif", "^tcp"),
    ("testpmd, memif", testpmd, "memif", "udp"),
    ("Weir, veth", weir, "veth", ""),
    ("Linux, veth", linux, "veth", ""),
]


def ask(bed, port, words, seconds):
    """One run of weir-load; None when it fails, which it has said itself."""
    out = subprocess.run(
        ["ip", "netns", "exec", bed.name, f"{bed.build}/app/weir-load", bed.conf("client", port),
         "--json", f"--seconds={seconds}", f"--warmup={seconds / 4}", *words, SERVER],
        capture_output=True, text=True, timeout=120 + 2 * seconds, check=False)
    if out.returncode == 0:
        return json.loads(out.stdout)
    print("\n" + out.stderr[-600:], file=sys.stderr)
    return None


def can_run(cpus):
    """Whether there is what they need; else why not."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    return "needs two CPUs" if len(cpus) < 2 else ""


def plan(only):
    return [(name, start, port, label, words) for name, start, port, rows in SERVERS
            for label, words in ROWS
            if re.search(rows, label) and re.search(only, f"{name}: {label}")
            and (start is not testpmd or shutil.which("dpdk-testpmd"))]


def run_all(args, cpus, is_huge):
    """Results by (label, server): a list of what weir-load said. And the number of failed runs."""
    results, failed = {}, 0
    rows = plan(args.only)
    with Bed(args.build, cpus, is_huge) as bed:
        for i in range(args.served_runs):
            for name, start, port, label, words in rows:
                print("\r%d/%d %-70s" % (i + 1, args.served_runs, f"{name}: {label}"), end="",
                      file=sys.stderr)
                try:
                    with start(bed, port, label):
                        result = ask(bed, port, words, args.served_s)
                except (RuntimeError, subprocess.SubprocessError) as e:
                    print("\n%s" % e, file=sys.stderr)
                    result = None
                failed += result is None
                if result is not None:
                    results.setdefault((label, name), []).append(result)
    print("\r%80s\r" % "", end="", file=sys.stderr)
    return results, failed


def median(runs, *keys):
    values = []
    for run in runs:
        for key in keys:
            run = run[key]
        values.append(run)
    return statistics.median(values)


def ratio(results, label, name, other):
    ours, theirs = results.get((label, name)), results.get((label, other))
    if not ours or not theirs:
        return "      -"
    return "%7.2f" % (median(ours, "ops_per_s") / median(theirs, "ops_per_s"))


def print_all(results):
    names = [s[0] for s in SERVERS]
    print("\nservers beside each other, two cores, asked by weir-load, closed loop (medians); "
          "busy: weir-load itself")
    print("  %-34s %-24s %10s %8s %8s %8s %8s %6s" % (
        "", "server", "answers/s", "p50 us", "p99", "p99.9", "p99.99", "busy"))
    for label in dict.fromkeys(label for label, _ in results):
        for name in names:
            runs = results.get((label, name))
            if not runs:
                continue
            print("  %-34s %-24s %10.0f %8.1f %8.1f %8.1f %8.1f %5.0f%%%s" % (
                label, name, median(runs, "ops_per_s"),
                *(median(runs, "latency_us", p) for p in ("p50", "p99", "p99.9", "p99.99")),
                100 * median(runs, "client_busy"),
                "".join(", %d %s" % (n, key) for key in ("errors", "lost")
                        if (n := sum(r[key] for r in runs)) > 0)))
    pairs = [("Weir, memif", "Linux, veth"), ("Weir, veth", "Linux, veth"),
             ("Weir by messages, memif", "Weir, memif"), ("Weir, memif", "testpmd, memif")]
    print("\n  ratio of answers/s")
    print("  %-34s %s" % ("", "  ".join(f"{a} / {b}" for a, b in pairs)))
    for label in dict.fromkeys(label for label, _ in results):
        print("  %-34s %s" % (label, "  ".join(
            ratio(results, label, a, b).rjust(len(f"{a} / {b}")) for a, b in pairs)))


def flat(results):
    return [{"workload": label, "server": name, "runs": runs}
            for (label, name), runs in results.items()]


def draw(results, directory):
    names = [s[0] for s in SERVERS]
    for key, title, unit in (("rate", "Answers a second", "more is better"),
                             ("p99", "99 of 100 answers came within", "us; less is better")):
        by_label = {}
        for (label, name), runs in results.items():
            values = [r["ops_per_s"] if key == "rate" else r["latency_us"]["p99"] for r in runs]
            by_label.setdefault(label, {})[name] = {
                "median": statistics.median(values), "min": min(values), "max": max(values)}
        plot.write(os.path.join(directory, f"servers-{key}.svg"), title, unit, names,
                   list(by_label.items()))
