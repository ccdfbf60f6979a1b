/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of IP: WEIR_STAT(name, unit, help). No include guard: included several times. */
WEIR_STAT(rx_ip4, "pkts", "IPv4 packets given to ip4_input")
WEIR_STAT(rx_ip6, "pkts", "IPv6 packets given to ip6_input")
WEIR_STAT(tx_ip4, "pkts", "IPv4 packets sent, before fragmentation")
WEIR_STAT(tx_ip6, "pkts", "IPv6 packets sent, before fragmentation")
WEIR_STAT(icmp_echo_replies, "pkts", "echo requests answered")
WEIR_STAT(icmp_errors_sent, "pkts", "ICMP and ICMPv6 errors sent")
WEIR_STAT(icmp_errors_limited, "pkts", "ICMP errors not sent: beyond the rate limit")
WEIR_STAT(icmp_errors_received, "pkts", "ICMP errors received about packets of ours")
WEIR_STAT(frags_sent, "pkts", "fragments sent")
WEIR_STAT(reassembled, "pkts", "packets put together from fragments")
WEIR_STAT(route_misses, "events", "lookups that found no route")
