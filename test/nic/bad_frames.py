#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames with a wrong checksum, N of each kind: bad_frames.py INTERFACE MAC OURS THEIRS N

MAC and THEIRS are the receiver's, OURS an IPv4 address of its network. Kinds: the header's, UDP's, TCP's.
"""
import socket
import struct
import sys

interface, mac, ours, theirs, n = sys.argv[1:6]
ours, theirs = socket.inet_aton(ours), socket.inet_aton(theirs)
PORT = 80


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packet(proto, l4, at, ip_wrong, l4_wrong):
    """An IPv4 packet; the checksum of l4 is at that offset, right but for what is to be wrong."""
    pseudo = ours + theirs + struct.pack("!BBH", 0, proto, len(l4))
    l4 = l4[:at] + struct.pack("!H", checksum(pseudo + l4) ^ l4_wrong) + l4[at + 2:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(l4), 1, 0, 64, proto, 0) + ours + theirs
    return head[:10] + struct.pack("!H", checksum(head) ^ ip_wrong) + head[12:] + l4


udp = struct.pack("!HHHH", 4000, PORT, 8 + 32, 0) + b"x" * 32
tcp = struct.pack("!HHIIBBHHH", 4000, PORT, 1, 0, 5 << 4, 2, 1000, 0, 0) + b"x" * 32
frames = [packet(17, udp, 6, 0x0F00, 0), packet(17, udp, 6, 0, 0x0F00), packet(6, tcp, 16, 0, 0x0F00)]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((interface, 0x0800))
for frame in frames * int(n):
    s.send(bytes.fromhex(mac.replace(":", "")) + s.getsockname()[4] + b"\x08\x00" + frame)
