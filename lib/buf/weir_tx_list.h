/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where packets made by the stack end: WEIR_TX_FATE(name, unit, help). Packets made = sum of all
 * of these + held (waiting for a neighbour or for room in the port's queue).
 */
WEIR_TX_FATE(sent, "pkts", "packet taken by the port")
WEIR_TX_FATE(looped, "pkts", "packet to an own address, passed back to IP input")
WEIR_TX_FATE(drop_port_full, "pkts", "transmit queue full for too long")
WEIR_TX_FATE(drop_link_down, "pkts", "port stopped or link down")
WEIR_TX_FATE(drop_no_route, "pkts", "no route to the destination")
WEIR_TX_FATE(drop_neigh_queue, "pkts", "pushed out of the bounded queue that waits for a neighbour")
WEIR_TX_FATE(drop_neigh_failed, "pkts", "neighbour did not answer")
WEIR_TX_FATE(drop_tx_no_mbuf, "pkts", "no mbuf to linearise or split the packet")
WEIR_TX_FATE(drop_too_big, "pkts", "larger than the MTU and not to be fragmented")
