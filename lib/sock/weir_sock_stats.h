/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of the socket layer: WEIR_STAT(name, unit, help). No include guard: included several
 * times. */
WEIR_STAT(doors, "events", "requests of application threads served, per socket")
WEIR_STAT(events, "events", "connections and bindings that the transports reported on")
WEIR_STAT(accept_no_sock, "conns", "connections reset for want of a socket or descriptor")
WEIR_STAT(callbacks, "events", "callbacks run")
WEIR_STAT(copy_full, "pkts", "packets of raw sockets and groups that found a receive buffer full")
WEIR_STAT(stalls, "conns", "connections kept back because applications hold too many mbufs")
