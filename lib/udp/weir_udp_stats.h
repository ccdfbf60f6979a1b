/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of UDP: WEIR_STAT(name, unit, help). No include guard: included several times. */
WEIR_STAT(rx_datagrams, "pkts", "datagrams given to a binding")
WEIR_STAT(tx_datagrams, "pkts", "datagrams sent")
WEIR_STAT(rx_no_port, "pkts", "datagrams to a port that nobody has")
WEIR_STAT(rx_errors, "events", "ICMP errors given to a binding")
