# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel's sockets do inside a namespace: one command, its answer on standard output.

serve                        answer GET /size/N by N zeros, PUT by taking all
move HOST SECONDS SKIP down|up
                             bytes received or sent within so many seconds after the first SKIP
short HOST SIZE COUNT        seconds of each of COUNT fetches of SIZE bytes, each on its connection
"""
import socket
import sys
import threading
import time

PORT = 80
CHUNK = 1 << 18


def cubic(s):
    """Linux as its own default would be; this machine's may be another."""
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    return s


def answer(s):
    zeros = bytes(CHUNK)
    buf = bytearray(CHUNK)
    try:
        first = s.recv(4096)
        if first.startswith(b"GET /size/"):
            n = int(first.split()[1][len("/size/"):])
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n
            n += len(head)
            n -= s.send(head + zeros[:min(n - len(head), CHUNK)])
            while n > 0:
                n -= s.send(zeros[:min(n, CHUNK)])
        while s.recv_into(buf) > 0:
            pass
    except OSError:
        pass
    s.close()


def serve():
    listener = cubic(socket.create_server(("0.0.0.0", PORT)))
    print("ready", flush=True)
    while True:
        s, _ = listener.accept()
        threading.Thread(target=answer, args=(s,), daemon=True).start()


def connect(host):
    s = cubic(socket.socket())
    s.settimeout(30)
    s.connect((host, PORT))
    return s


def move(host, seconds, skip, is_download):
    s = connect(host)
    begin = time.monotonic()
    n = 0
    if is_download:
        s.sendall(b"GET /size/9000000000 HTTP/1.1\r\nHost: x\r\n\r\n")
    else:
        s.sendall(b"PUT /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n")
    s.settimeout(0.2)
    buf = bytearray(CHUNK)
    while (now := time.monotonic() - begin) < skip + seconds:
        try:
            moved = s.recv_into(buf) if is_download else s.send(buf)
            n += moved if now >= skip else 0
        except TimeoutError:
            pass
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()
    return n


def short(host, size, count):
    buf = bytearray(CHUNK)
    for _ in range(count):
        begin = time.monotonic()
        with connect(host) as s:
            s.sendall(b"GET /size/%d HTTP/1.1\r\nHost: x\r\n\r\n" % size)
            head = b""
            while b"\r\n\r\n" not in head:
                head += s.recv(4096)
            n = len(head) - head.index(b"\r\n\r\n") - 4
            while n < size:
                n += s.recv_into(buf)
        print(time.monotonic() - begin, flush=True)


def main():
    what, *args = sys.argv[1:]
    if what == "serve":
        serve()
    elif what == "move":
        print(move(args[0], float(args[1]), float(args[2]), args[3] == "down"))
    else:
        short(args[0], int(args[1]), int(args[2]))


if __name__ == "__main__":
    main()
