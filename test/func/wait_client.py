# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's side of the examples that wait. Exit status 1, with a line that says why, if an answer is wrong.
wait_client.py chat IP | many IP BYTES | raw IP | count IP BYTES CONNECTIONS | datagram IP TEXT | answer PORT TEXT"""
import os
import selectors
import socket
import sys

LIMIT_S = 60


def connect(ip, port):
    return socket.create_connection((ip, port), timeout=LIMIT_S)


def read(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            break
        data += piece
    return data


def chat(ip):
    """What one of three says comes to the two others, and not back."""
    ends = [connect(ip, 7000) for _ in range(3)]
    for i, speaker in enumerate(ends):
        # who has been accepted is not known to the client: say it until all have heard it
        heard = set()
        while len(heard) < 2:
            speaker.sendall(b"%d" % i)
            for k, s in enumerate(ends):
                s.settimeout(0.2)
                try:
                    if k != i and set(s.recv(100)) == {ord("0") + i}:
                        heard.add(k)
                except TimeoutError:
                    pass
    ends[0].setblocking(False)
    said = ends[0].recv(1000) if can_read(ends[0]) else b""
    assert b"0" not in said, "the speaker heard itself"


def can_read(s):
    with selectors.DefaultSelector() as sel:
        sel.register(s, selectors.EVENT_READ)
        return bool(sel.select(0))


def many(ip, size):
    """Eight at once send all, and only then read: the server has to keep what it cannot send."""
    data = os.urandom(int(size))
    ends = [connect(ip, 7) for _ in range(8)]
    with selectors.DefaultSelector() as sel:
        for s in ends:
            s.setblocking(False)
            sel.register(s, selectors.EVENT_READ | selectors.EVENT_WRITE, [0, b""])
        while sel.get_map():
            for key, mask in sel.select(LIMIT_S):
                state = key.data
                if mask & selectors.EVENT_WRITE and state[0] < len(data):
                    state[0] += key.fileobj.send(data[state[0]:state[0] + 65536])
                if state[0] == len(data):
                    sel.modify(key.fileobj, selectors.EVENT_READ, state)
                if mask & selectors.EVENT_READ:
                    state[1] += key.fileobj.recv(65536)
                if len(state[1]) == len(data):
                    assert state[1] == data, "another stream came back"
                    sel.unregister(key.fileobj)
    for s in ends:
        s.close()


def raw(ip):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    s.settimeout(0.5)
    for i in range(2 * LIMIT_S):
        s.sendto(b"raw %d" % i, (ip, 0))
        try:
            packet, who = s.recvfrom(2000)
        except TimeoutError:
            continue
        assert who[0] == ip and packet[20:].startswith(b"raw "), packet
        return
    raise AssertionError("no answer")


def count(ip, size, connections):
    ends = [connect(ip, 9) for _ in range(int(connections))]
    for i, s in enumerate(ends):
        s.sendall(bytes(int(size) + i))
        s.shutdown(socket.SHUT_WR)
    for i, s in enumerate(ends):
        answer = read(s, 100)
        assert answer == b"%d bytes\n" % (int(size) + i), answer


def datagram(ip, text):
    """Comes back; the first may be lost while the other end does not yet know who has our address."""
    s = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((ip, 7))
    s.settimeout(0.5)
    for _ in range(2 * LIMIT_S):
        s.send(text.encode())
        try:
            assert s.recv(65536) == text.encode(), "another datagram came back"
            return
        except (TimeoutError, ConnectionRefusedError):
            pass
    raise AssertionError("no answer")


def answer(port, text):
    """Until a datagram comes, and is answered; broadcasts and groups, too."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.bind(("", int(port)))
    for i, _ in socket.if_nameindex():
        if i > 1:
            group = socket.inet_aton("239.1.2.3") + bytes(4) + i.to_bytes(4, sys.byteorder)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    s.settimeout(LIMIT_S)
    print(s.getsockname(), flush=True)
    data, who = s.recvfrom(65536)
    print(data.decode(), flush=True)
    s.sendto(text.encode(), who)


try:
    globals()[sys.argv[1]](*sys.argv[2:])
except AssertionError as e:
    sys.exit(str(e))
