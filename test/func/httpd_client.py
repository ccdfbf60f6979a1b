#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""HTTP/1.1 by hand against weir-httpd: httpd_client.py HOST ROOT_DIR

What curl does not do: pipelining, requests that arrive in odd pieces, malformed ones, half-closed
connections, clients that do not read for a while. Prints a line for each test.
"""
import hashlib
import os
import socket
import sys
import time

HOST, ROOT = sys.argv[1:3]
TIMEOUT_S = 20
failed = []


def connect():
    s = socket.create_connection((HOST, 80), timeout=TIMEOUT_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Reader:
    """Answers, one after another, from a socket."""

    def __init__(self, s):
        self.s = s
        self.data = b""

    def more(self):
        part = self.s.recv(65536)
        self.data += part
        return part

    def answer(self, has_body=True):
        """(status, fields, body) of the next answer"""
        while b"\r\n\r\n" not in self.data:
            if not self.more():
                return None
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        length = int(fields.get("content-length", 0)) if has_body and status >= 200 else 0
        while len(self.data) < length:
            if not self.more():
                raise EOFError(f"{len(self.data)} of {length} bytes")
        body, self.data = self.data[:length], self.data[length:]
        return status, fields, body

    def at_end(self):
        return self.data == b"" and self.more() == b""


def get(target, fields="", version="1.1", method="GET"):
    return f"{method} {target} HTTP/{version}\r\nHost: weir\r\n{fields}\r\n".encode()


def put(target, body, fields=""):
    return get(target, f"Content-Length: {len(body)}\r\n{fields}", method="PUT") + body


def pattern(n):
    """What /size/N sends: app/httpd/source.c"""
    x, period = 1, bytearray()
    for _ in range(65521):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        period.append(x >> 24)
    return (bytes(period) * (n // 65521 + 1))[:n]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test(fn):
    name = fn.__name__.replace("_", " ")
    try:
        fn()
        print(f"ok   {name}")
    except Exception as e:  # a test that fails must not keep the others from running
        print(f"FAIL {name}: {type(e).__name__} {e}")
        failed.append(name)


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r}, not {wanted!r}"[:300])


def ask(*requests, shut=False, **how):
    """Send all at once; the answers."""
    with connect() as s:
        s.sendall(b"".join(requests))
        if shut:
            s.shutdown(socket.SHUT_WR)
        r = Reader(s)
        return [r.answer(**how) for _ in requests]


@test
def fifty_requests_in_one_segment_get_fifty_answers():
    answers = ask(*[get(f"/size/{n}") for n in range(50)])
    for n, (status, _, body) in enumerate(answers):
        expect((status, body), (200, pattern(n)))


@test
def requests_that_arrive_byte_by_byte():
    with connect() as s:
        r = Reader(s)
        for byte in get("/size/10") + put("/sink", b"abc") + get("/size/5"):
            s.sendall(bytes([byte]))
            time.sleep(0.001)
        expect(r.answer()[2], pattern(10))
        expect(r.answer()[2].split()[0], b"3")
        expect(r.answer()[2], pattern(5))


@test
def requests_cut_at_every_place():
    stream = put("/sink", b"0123456789") + get("/size/7") + get("/", method="HEAD")
    for at in range(1, len(stream)):
        with connect() as s:
            s.sendall(stream[:at])
            time.sleep(0.002)
            s.sendall(stream[at:])
            r = Reader(s)
            expect(r.answer()[0], 200)
            expect(r.answer()[2], pattern(7))
            expect(r.answer(has_body=False)[0], 200)


@test
def long_answers_in_a_pipeline_keep_their_order():
    sizes = [3000000, 1, 70000, 0, 500000]
    for n, (status, _, body) in zip(sizes, ask(*[get(f"/size/{n}") for n in sizes])):
        expect((status, hashlib.md5(body).digest()), (200, hashlib.md5(pattern(n)).digest()))


@test
def a_client_that_pipelines_much_and_reads_late_gets_all():
    n = 20000
    with connect() as s:
        s.setblocking(False)
        out, got = get("/size/100") * n, b""
        one = len(ask(get("/size/100"))[0][2])
        end = time.time() + 60
        at = reads = 0
        while time.time() < end and reads < n:
            if at < len(out):
                try:
                    at += s.send(out[at : at + 100000])
                    continue
                except BlockingIOError:
                    time.sleep(0.01)  # the server has stopped reading: as it should
            try:
                got += s.recv(1 << 20)
                while True:
                    head = got.find(b"\r\n\r\n")
                    if head < 0 or len(got) < head + 4 + one:
                        break
                    got = got[head + 4 + one :]
                    reads += 1
            except BlockingIOError:
                time.sleep(0.01)
        expect(reads, n)


@test
def head_has_the_length_and_no_body():
    with connect() as s:
        s.sendall(get("/size/1000", method="HEAD") + get("/size/3"))
        r = Reader(s)
        status, fields, _ = r.answer(has_body=False)
        expect((status, fields["content-length"]), (200, "1000"))
        expect(r.answer()[2], pattern(3))


@test
def an_error_to_head_has_no_body_either():
    with connect() as s:
        s.sendall(get("/none", method="HEAD") + get("/size/3"))
        r = Reader(s)
        expect(r.answer(has_body=False)[0], 404)
        expect(r.answer()[2], pattern(3))


@test
def http_1_0_closes_and_keeps_alive_when_asked():
    with connect() as s:
        s.sendall(get("/size/5", version="1.0"))
        r = Reader(s)
        expect(r.answer()[2], pattern(5))
        expect(r.at_end(), True)
    with connect() as s:
        for _ in range(2):
            s.sendall(get("/size/5", "Connection: keep-alive\r\n", version="1.0"))
            status, fields, body = Reader(s).answer()
            expect((status, fields["connection"], body), (200, "keep-alive", pattern(5)))


@test
def connection_close_closes():
    with connect() as s:
        s.sendall(get("/size/100000", "Connection: close\r\n"))
        r = Reader(s)
        status, fields, body = r.answer()
        expect((status, fields["connection"], len(body)), (200, "close", 100000))
        expect(r.at_end(), True)


@test
def a_half_closed_client_gets_all_its_answers():
    answers = ask(get("/size/2000000"), get("/size/1"), shut=True)
    expect([len(a[2]) for a in answers], [2000000, 1])


@test
def the_connection_ends_after_the_answers_to_a_half_closed_client():
    with connect() as s:
        s.sendall(get("/size/5"))
        s.shutdown(socket.SHUT_WR)
        r = Reader(s)
        expect(r.answer()[2], pattern(5))
        expect(r.at_end(), True)


@test
def put_makes_and_replaces_a_file():
    data = os.urandom(300000)
    expect([a[0] for a in ask(put("/p1", data), put("/p1", data[:1000]))], [201, 204])
    with open(f"{ROOT}/p1", "rb") as f:
        expect(f.read(), data[:1000])
    expect(ask(get("/p1"))[0][2], data[:1000])


@test
def put_of_nothing_makes_an_empty_file():
    expect(ask(put("/p0", b""))[0][0], 201)
    expect(os.path.getsize(f"{ROOT}/p0"), 0)


@test
def put_in_chunks():
    body = b"5\r\nhello\r\n1;ext=1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    request = get("/p2", "Transfer-Encoding: chunked\r\n", method="PUT") + body
    expect([a[0] for a in ask(request, get("/size/1"))], [201, 200])
    with open(f"{ROOT}/p2", "rb") as f:
        expect(f.read(), b"hello 0123456789")


@test
def the_sink_tells_the_checksum():
    data = os.urandom(5000)
    text = ask(put("/sink", data))[0][2].decode()
    expect(text, f"5000 bytes, crc32c {crc32c(data):08x}\n")


@test
def expect_100_continue_is_answered_before_the_body():
    with connect() as s:
        r = Reader(s)
        s.sendall(get("/p3", "Content-Length: 5\r\nExpect: 100-continue\r\n", method="PUT"))
        expect(r.answer()[0], 100)
        s.sendall(b"hello")
        expect(r.answer()[0], 201)


@test
def an_upload_that_is_broken_off_leaves_nothing():
    before = sorted(os.listdir(ROOT))
    with connect() as s:
        s.sendall(get("/p4", "Content-Length: 100000\r\n", method="PUT") + b"x" * 5000)
        s.shutdown(socket.SHUT_WR)
        expect(Reader(s).at_end(), True)
    expect(sorted(os.listdir(ROOT)), before)


@test
def what_is_refused():
    length = "Content-Length: 3\r\n"
    chunked = "Transfer-Encoding: chunked\r\n"
    table = [
        (404, get("/none")),
        (404, get("/../etc/passwd")),
        (404, get("/%2e%2e/%2e%2e/etc/passwd")),
        (404, get("/sub/..%2f..%2fetc/passwd")),
        (404, get("/out/passwd")),  # a symbolic link to /etc
        (404, get("/link")),  # one to /etc/passwd
        (404, get("/.hidden")),
        (404, get("/sub")),  # a directory
        (404, get("/fifo")),
        (404, get("/size/17G")),
        (404, get("/size/1x")),
        (404, get("/size/")),
        (404, get("/" + "a" * 3000)),
        (404, put("/no/such/dir", b"x")),
        (404, put("/.x", b"x")),
        (404, put("/out/x", b"x")),
        (409, put("/sub", b"x")),
        (400, get("/%zz")),
        (400, get("/%00")),
        (400, get("/%4")),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"),
        (400, b"GET /\r\n\r\n"),
        (400, b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"\x16\x03\x01\x02\x00\x01\x00\n\n"),
        (400, get("*")),
        (400, get("/", length) + b"abc"),
        (400, get("/x", "Content-Length: 3\r\nContent-Length: 4\r\n", method="PUT")),
        (400, get("/x", "Content-Length: -3\r\n", method="PUT")),
        (400, get("/x", "Content-Length: 99999999999999999999\r\n", method="PUT")),
        (400, get("/x", length + chunked, method="PUT")),
        (400, get("/x", chunked, method="PUT") + b"xyz\r\n"),
        (400, get("/x", chunked, method="PUT") + b"3\r\nabcd\r\n"),
        (400, get("/x", chunked, method="PUT") + b"fffffffffffffffff\r\n"),
        (405, get("/", method="DELETE")),
        (405, get("/", length, method="POST") + b"abc"),
        (411, get("/x", method="PUT")),
        (413, get("/x", "Content-Length: 17179869185\r\n", method="PUT")),
        (417, get("/x", length + "Expect: miracles\r\n", method="PUT") + b"abc"),
        (431, get("/", "X: " + "y" * 9000 + "\r\n")),
        (501, get("/", method="BREW")),
        (501, get("/x", "Transfer-Encoding: gzip\r\n", method="PUT")),
        (505, get("/", version="2.0")),
    ]
    before = sorted(os.listdir(ROOT))
    for status, request in table:
        answer = ask(request)[0]
        if answer is None or answer[0] != status:
            raise AssertionError(f"{answer and answer[0]}, not {status}: {request[:80]!r}")
    expect(sorted(os.listdir(ROOT)), before)


@test
def odd_but_right_requests():
    table = [
        (200, b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (200, b"GET / HTTP/1.1\nHost: a\n\n"),
        (200, b"GET http://weir/size/3 HTTP/1.1\r\nHost: a\r\n\r\n"),
        (200, b"GET http://weir HTTP/1.1\r\nHost: a\r\n\r\n"),
        (200, get("/?query")),
        (200, get("//size/..")[:0] + get("/s%75b/f.txt")),
        (200, get("/sub//f.txt")),
        (200, b"GET / HTTP/1.9\r\nHost: a\r\n\r\n"),
    ]
    for status, request in table:
        expect((ask(request)[0][0], request), (status, request))


@test
def media_types():
    for name, wanted in [("/sub/f.txt", "text/plain; charset=utf-8"), ("/", "text/html; charset=utf-8"),
                         ("/size/1", "application/octet-stream")]:
        expect(ask(get(name))[0][1]["content-type"], wanted)


@test
def a_refused_upload_gets_its_answer_while_it_still_sends():
    with connect() as s:
        s.sendall(get("/sub", "Content-Length: 5000000\r\n", method="PUT"))
        try:
            s.sendall(b"x" * 5000000)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise AssertionError("reset instead of an answer") from e
        expect(Reader(s).answer()[0], 409)


@test
def clients_that_go_away_in_the_midst_do_no_harm():
    for _ in range(50):
        s = connect()
        s.sendall(get("/size/1G"))
        s.recv(1000)
        s.close()
    expect(ask(get("/size/1"))[0][0], 200)


print(f"{len(failed)} failed" if failed else "all passed")
sys.exit(1 if failed else 0)
