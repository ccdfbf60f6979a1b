/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * UDP on one interface behind a fake port: 192.0.2.1/24 and 2001:db8::1/64; the neighbours
 * 192.0.2.2 and 2001:db8::2 are known.
 */
#ifndef UDP_RIG_H
#define UDP_RIG_H

#include "fake_port.h"
#include "unit.h"
#include "weir_udp.h"

#define RIG_MBUFS 1023

#define US4   "192.0.2.1"
#define PEER4 "192.0.2.2"
#define US6   "2001:db8::1"
#define PEER6 "2001:db8::2"

struct rig {
	struct rte_mempool *pool;
	struct weir_wheel wheel;
	struct weir_core core;
	struct fake_port port;
	struct weir_iface ifc;
	struct weir_ip ip;
	struct weir_udp udp;
	struct weir_ready ready;
	uint64_t given; /* packets given to udp_input */
};

struct rig *rig_open(void);

/** All packets given ended somewhere, no mbuf is lost. */
void rig_close(struct rig *r);

struct weir_addr addr(const char *text);

/** A datagram to make; what is not set is PEER4 to US4, port 1000 to 2000, no data. */
struct dgram {
	const char *src, *dst;
	uint16_t sport, dport;
	const void *data;
	uint16_t n; /* bytes of data */
	uint16_t extra; /* bytes behind the datagram, within the IP packet */
	bool no_cksum;
	bool bad_cksum;
	uint8_t flags; /* enum weir_pkt_flag */
	uint8_t ifindex;
};

/** As ip4_input or ip6_input leave it for udp_input. */
struct rte_mbuf *rig_dgram(struct rig *r, const struct dgram *d);

/** Give m to udp_input. */
void rig_input(struct rig *r, struct rte_mbuf *m);

#define rig_recv(r, ...) rig_input(r, rig_dgram(r, &(struct dgram){__VA_ARGS__}))

/** A binding to laddr (NULL: any of the version that is_v6 says) and lport 2000. */
struct weir_pcb rig_pcb(const char *laddr, bool is_v6);

/** The binding's oldest datagram, freed, was these n bytes of data. */
void rig_got(struct weir_pcb *pcb, const void *data, uint16_t n);

/** Datagrams that wait at the binding, now freed. */
unsigned int rig_drain(struct weir_pcb *pcb);

/** The oldest packet sent, its data beginning at the IP header, or NULL. */
struct rte_mbuf *rig_sent(struct rig *r);

#endif
