/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of an interface: WEIR_STAT(name, unit, help). Included several times. */
WEIR_STAT(arp_sent, "pkts", "ARP packets sent")
WEIR_STAT(nd_sent, "pkts", "neighbour discovery messages sent")
WEIR_STAT(neigh_created, "events", "neighbours entered into the cache")
WEIR_STAT(neigh_failed, "events", "neighbours given up: no answer")
WEIR_STAT(neigh_evicted, "events", "neighbours pushed out of a full cache")
WEIR_STAT(dad_duplicates, "events", "own addresses found to be in use by somebody else")
WEIR_STAT(addr_conflicts, "pkts", "packets of somebody else who uses an address of ours")
WEIR_STAT(ra_taken, "pkts", "router advertisements processed")
WEIR_STAT(tx_linearized, "pkts", "packets copied into one buffer for the port")
WEIR_STAT(tx_flushes, "events", "bursts given to the port")
WEIR_STAT(link_downs, "events", "times the link was lost")
