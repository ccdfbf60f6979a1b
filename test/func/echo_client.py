#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Echo against weir-echo: echo_client.py HOST random|slow|load|udp [SECONDS]

random  a connection that sends pieces of random sizes, checks what comes back, half-closes
slow    one that sends until the server takes no more, and only then reads
load    several that send and receive at full speed at once, for SECONDS
udp     datagrams of many sizes
"""
import random
import selectors
import socket
import sys
import time

HOST, WHAT = sys.argv[1:3]
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 5
PORT = 7
rng = random.Random(1)
noise = rng.randbytes(1 << 20)  # what is sent: byte i of a connection is noise[i % len]


def connect():
    return socket.create_connection((HOST, PORT), timeout=60)


def piece(at, n):
    at %= len(noise)
    return (noise + noise)[at : at + n] if at + n > len(noise) else noise[at : at + n]


class Flow:
    """A connection that sends and checks at once."""

    def __init__(self, limit):
        self.s = connect()
        self.s.setblocking(False)
        self.limit = limit
        self.sent = self.got = 0
        self.is_shut = self.is_over = False

    def events(self):
        return selectors.EVENT_READ | (0 if self.is_shut else selectors.EVENT_WRITE)

    def write(self, is_last):
        if is_last or self.sent >= self.limit:
            self.s.shutdown(socket.SHUT_WR)
            self.is_shut = True
            return
        self.sent += self.s.send(piece(self.sent, min(rng.randint(1, 65536), self.limit - self.sent)))

    def read(self):
        data = self.s.recv(65536)
        if data != piece(self.got, len(data)):
            raise AssertionError(f"wrong data behind {self.got} bytes")
        self.got += len(data)
        self.is_over = not data
        if self.is_over and not self.is_shut:
            raise AssertionError("closed too early")


def run(flows, seconds):
    """Until all is sent or the time is over, and everything has come back. @return bytes"""
    end = time.time() + seconds
    with selectors.DefaultSelector() as sel:
        for f in flows:
            sel.register(f.s, f.events(), f)
        while sel.get_map():
            ready = sel.select(60)
            if not ready:
                raise AssertionError("nothing moves for 60 s")
            for key, mask in ready:
                f = key.data
                if mask & selectors.EVENT_READ:
                    f.read()
                if mask & selectors.EVENT_WRITE:
                    f.write(time.time() >= end)
                if f.is_over:
                    sel.unregister(f.s)
                    f.s.close()
                else:
                    sel.modify(f.s, f.events(), f)
    for f in flows:
        if f.got != f.sent:
            raise AssertionError(f"{f.got} of {f.sent} bytes came back")
    return sum(f.got for f in flows)


def slow():
    s = connect()
    s.setblocking(False)
    sent = 0
    quiet_since = time.time()
    while time.time() - quiet_since < 1:
        try:
            sent += s.send(piece(sent, 65536))
            quiet_since = time.time()
        except BlockingIOError:
            time.sleep(0.01)
        if sent > 1 << 28:
            raise AssertionError("the server takes more and more")
    s.settimeout(60)
    s.shutdown(socket.SHUT_WR)
    got = 0
    while True:
        data = s.recv(65536)
        if data != piece(got, len(data)):
            raise AssertionError(f"wrong data behind {got} bytes")
        got += len(data)
        if not data:
            break
    if got != sent:
        raise AssertionError(f"{got} of {sent} bytes came back")
    return got


def udp():
    family = socket.AF_INET6 if ":" in HOST else socket.AF_INET
    total = 0
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.connect((HOST, PORT))
        s.settimeout(2)
        for n in [0, 1, 2, 3, 100, 1451, 1452, 1453, 1472, 1473, 2000, 9000, 40000, 65000] + [
            rng.randint(0, 1472) for _ in range(500)
        ]:
            for _ in range(5):  # datagrams may be lost
                s.send(noise[:n])
                try:
                    if s.recv(65536) == noise[:n]:
                        break
                except TimeoutError:
                    pass
            else:
                raise AssertionError(f"a datagram of {n} bytes does not come back")
            total += n
    return total


if WHAT == "random":
    total = run([Flow(8 << 20) for _ in range(4)], 300)
elif WHAT == "load":
    total = run([Flow(1 << 62) for _ in range(4)], SECONDS)
elif WHAT == "slow":
    total = slow()
else:
    total = udp()
print(f"{total} bytes came back")
