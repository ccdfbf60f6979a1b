# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's side of groups: mcast_client.py say GROUP INTERFACE TEXT | query INTERFACE GROUP
say: sends TEXT to port 7000 of the group and prints what the member answers. query: asks all routers' neighbours
for their groups (IGMPv3, RFC 3376) and waits for a report that names GROUP. Exit status 1: nothing came."""
import socket
import struct
import sys
import time

ROUTERS = "224.0.0.22"


def say(group, interface, text):
    index = socket.if_nametoindex(interface)
    if ":" in group:
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn("0.0.0.0", index))
    s.settimeout(2)
    s.sendto(text.encode(), (group, 7000))
    print(s.recv(2000).decode(), end="")


def mreqn(group, index):
    return socket.inet_aton(group) + bytes(4) + struct.pack("i", index)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def query(interface, group):
    index = socket.if_nametoindex(interface)
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, mreqn(ROUTERS, index))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn("0.0.0.0", index))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    s.settimeout(1)
    ask = [0x11, 5, 0, bytes(4), 2, 125, 0]  # answers within half a second
    ask[2] = checksum(struct.pack("!BBH4sBBH", *ask))
    s.sendto(struct.pack("!BBH4sBBH", *ask), ("224.0.0.1", 0))
    end = time.monotonic() + 2
    while time.monotonic() < end:
        report = s.recv(2000)
        report = report[(report[0] & 15) * 4:]
        if report[0] == 0x22 and socket.inet_aton(group) in report[8:]:
            return
    raise TimeoutError


try:
    {"say": say, "query": query}[sys.argv[1]](*sys.argv[2:])
except TimeoutError:
    sys.exit(1)
