# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces, the line between them, and the hosts at its ends.

The client is the kernel in a namespace of its own, or a Weir program. The servers are the kernel in
a third namespace and weir-httpd. weir-wire joins the two sides and spoils what passes. Weir is
behind memif where it is alone on its side; where it stands beside Linux, both are on a bridge.
"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

PORT = 80
LINUX = "10.81.0.1"   # the kernel's server
WEIR = "10.81.0.3"    # weir-httpd
CLIENT = "10.81.0.2"
TALK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "talk.py")

CONF = """
[stack]
name = {name}
[eal]
vdev = {vdev}
file_prefix = {name}
hugepages = no
memory = 512
[workers]
idle = sleep
[tcp]
sndbuf = 8M
rcvbuf = 8M
{tcp}
[port port0]
device = {device}
address = {address}/24
dad = no
{more}
"""


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise RuntimeError("not there in time")
        time.sleep(0.02)


def stop(process):
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Namespace:
    def __init__(self, name):
        self.name = f"{name}-{os.getpid()}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *args):
        return run("ip", "-n", self.name, *args)

    def run(self, *args):
        return run("ip", "netns", "exec", self.name, *args)

    def start(self, *args, **more):
        return subprocess.Popen(["ip", "netns", "exec", self.name, *args], **more)

    def take(self, device, owner, address=None):
        """A device that was made in the namespace `owner` becomes this one's."""
        owner.ip("link", "set", device, "netns", self.name)
        if address is not None:
            # Not the one that the tap shares with weir-wire's side of it.
            self.ip("link", "set", device, "address",
                    "02:00:00:81:00:" + address.split(".")[3].zfill(2))
            self.ip("address", "add", f"{address}/24", "dev", device)
        self.ip("link", "set", device, "up")

    def delete(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)


class WeirProcess:
    """A program on a Weir stack of its own, until it has said that it is ready."""

    def __init__(self, build, ns, program, args, **conf):
        self.build = build
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write(CONF.format(**conf))
            f.flush()
            self.process = ns.start(f"{build}/app/{program}", f.name, *args,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for line in self.process.stdout:
                if line.endswith(b": ready\n"):
                    break
            else:
                raise RuntimeError(f"{program} does not start")

    def received(self):
        """Bytes of TCP's payload."""
        out = run(f"{self.build}/app/weir-stat", "--pid", str(self.process.pid), "counters")
        found = re.search(r"^tcp\.rx_bytes +(\d+)", out, re.M)
        return int(found[1]) if found else 0


class Line:
    """weir-wire between two devices of DPDK, with impairments."""

    def __init__(self, build, ns, ends, impairments):
        with tempfile.TemporaryFile() as log:
            self.process = ns.start(
                f"{build}/app/weir-wire", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
                "-m", "512", "--lcores", "0@(0-1)", "--vdev", ends[0], "--vdev", ends[1], "--",
                "--a", ends[0].split(",")[0], "--b", ends[1].split(",")[0], *impairments,
                stdout=log, stderr=log)
            wait_for(lambda: self.is_joined(log))

    def is_joined(self, log):
        text = os.pread(log.fileno(), 1 << 16, 0).decode()
        if self.process.poll() is not None:
            raise RuntimeError(text)
        return "<->" in text


class Bed:
    """opts: its `build` directory, and lines of [tcp] for Weir's configurations in `tcp`.
    client: "linux" or "weir"; servers: {"linux"}, {"weir"}, or both.

    A context: all that it made is gone at its end.
    """

    def __init__(self, opts, client, servers, impairments):
        self.build, self.tcp = opts.build, "\n".join(opts.tcp)
        self.client, self.servers = client, servers
        self.impairments = impairments
        self.prefix = f"against{os.getpid()}"
        self.namespaces = {}
        self.processes = []
        self.weir = None         # weir-httpd
        self.weir_client = None  # the Weir client's process, once it was started

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            stop(process)
        for ns in self.namespaces.values():
            ns.delete()

    def memif(self, i, role):
        return f"net_memif0,role={role},id=0,socket={self.prefix}-{i}"

    def set_up(self):
        for name in ("wire", "client", "server"):
            self.namespaces[name] = Namespace(f"al{name}")
        wire, server = self.namespaces["wire"], self.namespaces["server"]
        is_beside = "weir" in self.servers and "linux" in self.servers
        if self.servers == {"weir"}:
            # In the line's namespace: memif's abstract sockets are of a namespace.
            self.start_weir(wire, self.memif("b", "server"), "net_memif0")
        end_a = "net_tap0,iface=ala"
        if self.client == "weir":
            end_a = self.memif("a", "server").replace("net_memif0", "net_memif1")
        end_b = self.memif("b", "client") if self.servers == {"weir"} else "net_tap1,iface=alb"
        line = Line(self.build, wire, (end_a, end_b), self.impairments)
        self.processes.append(line.process)
        if self.client == "linux":
            self.namespaces["client"].take("ala", wire, CLIENT)
        if is_beside:
            self.join_by_bridge(wire, server)
        elif "linux" in self.servers:
            server.take("alb", wire, LINUX)
        if "linux" in self.servers:
            self.start_linux(server)

    def join_by_bridge(self, wire, server):
        server.ip("link", "add", "br0", "type", "bridge")
        server.ip("link", "add", "alv", "type", "veth", "peer", "name", "alw")
        server.take("alb", wire)
        for device in ("alb", "alv"):
            server.ip("link", "set", device, "master", "br0")
        for device in ("alv", "alw"):
            server.ip("link", "set", device, "up")
        server.run("ethtool", "-K", "alv", "tx", "off")
        server.ip("address", "add", f"{LINUX}/24", "dev", "br0")
        server.ip("link", "set", "br0", "up")
        self.start_weir(server, "net_af_packet0,iface=alw", "net_af_packet0",
                        "offloads_off = rx_checksum, tx_checksum")

    def start_weir(self, ns, vdev, device, more=""):
        self.weir = WeirProcess(self.build, ns, "weir-httpd", (), name=self.prefix, vdev=vdev,
                                device=device, address=WEIR, more=more, tcp=self.tcp)
        self.processes.append(self.weir.process)

    def start_linux(self, ns):
        server = ns.start(sys.executable, TALK, "serve", stdout=subprocess.PIPE)
        self.processes.append(server)
        server.stdout.readline()

    def talk(self, *args):
        """A part of talk.py in the kernel client's namespace, as a process."""
        return self.namespaces["client"].start(sys.executable, TALK, *map(str, args),
                                               stdout=subprocess.PIPE, text=True)

    def download_by_weir(self, host, path):
        """A Weir client that fetches the path; begun when this returns."""
        line = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"
        self.weir_client = WeirProcess(
            self.build, self.namespaces["wire"], "tcp_client", (host, str(PORT), line),
            name=self.prefix + "c", vdev=self.memif("a", "client"), device="net_memif0",
            address=CLIENT, more="", tcp=self.tcp)
        self.processes.append(self.weir_client.process)
        # What it fetches goes to standard output: to nobody.
        subprocess.Popen(["cat"], stdin=self.weir_client.process.stdout,
                         stdout=subprocess.DEVNULL)
        wait_for(lambda: self.weir_client.received() > 0)
        return self.weir_client
