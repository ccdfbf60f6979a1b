/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of raw sockets: WEIR_STAT(name, unit, help). No include guard: included several
 * times. */
WEIR_STAT(rx_packets, "pkts", "packets given to a raw socket; each socket counts")
WEIR_STAT(rx_filtered, "pkts", "packets that a socket's filter or checksum check kept from it")
WEIR_STAT(rx_errors, "events", "ICMP errors given to a raw socket")
WEIR_STAT(tx_packets, "pkts", "packets sent by raw sockets")
