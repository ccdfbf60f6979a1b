# SPDX-License-Identifier: BSD-3-Clause
"""What is compared. A scene is its rows: a name and, for each column, numbers of one run."""
import re
import statistics
import time

from against.bed import LINUX, WEIR, Bed

RTT_MS, RATE = 20, 100  # where a scene does not vary them


def line(loss=0, rtt=RTT_MS, rate=RATE, queue_bdp=1, spoil=()):
    """Arguments of weir-wire; what is spoilt goes from the servers (b) to the client (a)."""
    queue = int(max(64 << 10, rate * 1e6 / 8 * rtt / 1000 * queue_bdp))
    seed = time.monotonic_ns() & 0xffff
    return ["--delay", f"{rtt * 500}us", "--rate", f"{rate}Mbit", "--queue", str(queue),
            "--ba-loss", f"{loss}%", "--ab-loss", "0", *spoil, "--seed", str(seed)]


def towards_server(args):
    """The same line with its directions exchanged."""
    turned = {"--ab-": "--ba-", "--ba-": "--ab-"}
    return [turned.get(a[:5], a[:5]) + a[5:] for a in args]


def host_of(kind):
    return WEIR if kind == "weir" else LINUX


def mbit(n, seconds):
    return n * 8 / 1e6 / seconds


# ---- goodput of one flow ----

PAIRS = [("linux", "linux"), ("weir", "linux"), ("linux", "weir"), ("weir", "weir")]


def goodput_once(opts, sender, receiver, args):
    """Mbit/s of payload that arrived within opts.seconds of connecting."""
    seconds = opts.seconds
    if (sender, receiver) == ("linux", "weir"):
        with Bed(opts, "linux", {"weir"}, towards_server(args)) as bed:
            before = bed.weir.received()
            bed.talk("move", WEIR, seconds, 0, "up").wait()
            return mbit(bed.weir.received() - before, seconds)
    if receiver == "weir":
        with Bed(opts, "weir", {"weir"}, args) as bed:
            client = bed.download_by_weir(WEIR, "/size/9G")
            time.sleep(seconds)
            return mbit(client.received(), seconds)
    with Bed(opts, "linux", {sender}, args) as bed:
        out, _ = bed.talk("move", host_of(sender), seconds, 0, "down").communicate()
        return mbit(int(out), seconds)


def goodput(opts, args):
    return {f"{s} to {r}": goodput_once(opts, s, r, args) for s, r in PAIRS}


def goodput_rows(opts):
    """Loss, RTT and rate; then what else spoils a line."""
    for rate in opts.rate:
        for rtt in opts.rtt:
            for loss in opts.loss:
                yield (f"{loss} % loss, {rtt} ms, {rate} Mbit/s",
                       lambda a=(loss, rtt, rate): goodput(opts, line(*a)))
    for name, spoil in (("bursts of losses", ("--ba-burst", "0.1%:20%")),
                        ("reordering by 3", ("--ba-reorder", "1%", "--ba-reorder_pkts", "3")),
                        ("reordering by 30", ("--ba-reorder", "1%", "--ba-reorder_pkts", "30",
                                              "--ba-reorder_time", "10ms")),
                        ("jitter of 5 ms", ("--ba-jitter", "5ms")),
                        ("1 % duplicated", ("--ba-dup", "1%")),
                        ("ACKs: 10 % loss", ("--ab-loss", "10%"))):
        yield (f"{name}, {RTT_MS} ms, {RATE} Mbit/s",
               lambda s=spoil: goodput(opts, line(spoil=s)))


# ---- two flows on one bottleneck ----

def share(opts, first, second, args):
    """Part of the line that the first flow has once both have found their place."""
    with Bed(opts, "linux", {"linux", "weir"}, args) as bed:
        seconds = 4 * opts.seconds
        flows = [bed.talk("move", host_of(kind), seconds, opts.seconds, "down")
                 for kind in (first, second)]
        n = [int(flow.communicate()[0]) for flow in flows]
        return n[0] / sum(n)


def fairness_rows(opts):
    for rtt in (5, 20, 100):
        for queue in (1, 4):
            yield (f"{rtt} ms, {RATE} Mbit/s, queue of {queue} BDP", lambda a=(rtt, queue): {
                name: share(opts, *pair, line(rtt=a[0], queue_bdp=a[1]))
                for name, pair in (("linux beside linux", ("linux", "linux")),
                                   ("weir beside linux", ("weir", "linux")),
                                   ("weir beside weir", ("weir", "weir")))})


# ---- what a bulk flow does to others' delay ----

def delay(opts, kind, args):
    """Median ms of a ping through the queue that the flow fills."""
    with Bed(opts, "linux", {kind}, args) as bed:
        flow = bed.talk("move", host_of(kind), 2 * opts.seconds, 0, "down")
        out = bed.namespaces["client"].run("ping", "-n", "-i", "0.05", "-c",
                                           str(int(36 * opts.seconds)), host_of(kind))
        flow.communicate()
        return statistics.median(float(t) for t in re.findall(r"time=([0-9.]+)", out))


def bloat_rows(opts):
    for queue in (1, 4, 16):
        yield (f"{RTT_MS} ms, {RATE} Mbit/s, queue of {queue} BDP", lambda q=queue: {
            kind: delay(opts, kind, line(queue_bdp=q)) for kind in ("linux", "weir")})


# ---- short flows ----

def completion(opts, kind, size, args):
    with Bed(opts, "linux", {kind}, args) as bed:
        out, _ = bed.talk("short", host_of(kind), size, int(20 * opts.seconds)).communicate()
        times = sorted(float(t) * 1e3 for t in out.split())
        return times[len(times) // 2], times[len(times) * 95 // 100]


def short_row(opts, size, loss):
    row = {}
    for kind in ("linux", "weir"):
        median, late = completion(opts, kind, size, line(loss=loss))
        row[f"{kind}, median"] = median
        row[f"{kind}, 95 %"] = late
    return row


def short_rows(opts):
    for size in (3000, 30000, 300000):
        for loss in (0, 1, 3):
            yield (f"{size} bytes, {loss} % loss, {RTT_MS} ms, {RATE} Mbit/s",
                   lambda a=(size, loss): short_row(opts, *a))


# name: what the numbers are, rows
SCENES = {
    "goodput": ("Mbit/s of payload, sender to receiver", goodput_rows),
    "fairness": ("part of the line that the first of two flows gets", fairness_rows),
    "bloat": ("ms that a ping takes beside a bulk flow of", bloat_rows),
    "short": ("ms to fetch so much on a new connection from", short_rows),
}
