#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""An echo request with an 802.1Q tag, for kernels without VLANs: vlan_ping.py INTERFACE VLAN OURS THEIRS

OURS and THEIRS are IPv4 addresses. Asks for the neighbour's address first. Exit status 0: answered, with the tag.
"""
import socket
import struct
import sys
import time

interface, vlan, ours, theirs = sys.argv[1], int(sys.argv[2]), *map(socket.inet_aton, sys.argv[3:5])
PACKET_AUXDATA, SOL_PACKET, ETH_P_ALL = 8, 263, 3
ARP, IPV4 = 0x0806, 0x0800

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
s.bind((interface, 0))
mac = s.getsockname()[4]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", total ^ 0xFFFF)


def send(to, kind, payload):
    s.send(to + mac + struct.pack("!HHH", 0x8100, vlan, kind) + payload)


def receive():
    """The next frame for us: its tag (the kernel keeps it beside the frame), type, payload."""
    frame, notes, _, _ = s.recvmsg(2048, 256)
    tag = 0
    for level, kind, data in notes:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data)
            tag = tci & 0xFFF if status & 0x10 else 0
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x8100:
        return struct.unpack("!H", frame[14:16])[0] & 0xFFF, struct.unpack("!H", frame[16:18])[0], frame[18:]
    return tag, kind, frame[14:]


def ask(request, is_answer):
    for _ in range(5):
        request()
        end = time.monotonic() + 1
        while (left := end - time.monotonic()) > 0:
            s.settimeout(left)
            try:
                tag, kind, payload = receive()
            except TimeoutError:
                break
            if tag == vlan and is_answer(kind, payload):
                return payload
    sys.exit("no answer")


def arp_request():
    send(b"\xff" * 6, ARP, struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + mac + ours + b"\0" * 6 + theirs)


reply = ask(arp_request, lambda kind, p: kind == ARP and p[6:8] == b"\0\2" and p[14:18] == theirs)
peer = reply[8:14]

echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"with a tag"
echo = echo[:2] + checksum(echo) + echo[4:]
header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(echo), 1, 0, 64, 1, 0) + ours + theirs
header = header[:10] + checksum(header) + header[12:]
ask(lambda: send(peer, IPV4, header + echo),
    lambda kind, p: kind == IPV4 and p[9] == 1 and p[12:16] == theirs and p[20] == 0 and p[28:28 + 10] == b"with a tag")
