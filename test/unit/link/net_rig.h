/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One worker's link layer over a fake port, on a virtual clock. We are 02:00:00:00:00:01 with
 * 10.0.0.1/24 and 2001:db8::1/64; the peer is 02:00:00:00:00:02, 10.0.0.2, 2001:db8::2.
 */
#ifndef NET_RIG_H
#define NET_RIG_H

#include <netinet/in.h>

#include "fake_port.h"
#include "unit.h"
#include "weir_cksum.h"
#include "weir_link.h"

#define RIG_START_US 1000000000ull

extern const struct weir_mac us_mac, peer_mac, all_mac;
extern const struct weir_addr us4, peer4, us6, peer6, link_local;

struct rig {
	struct fake_port port;
	struct weir_wheel wheel;
	struct weir_core core;
	struct weir_iface ifc;
	struct weir_vec frame, arp, ip4, ip6;
	void (*ip_timer)(struct weir_wheel_entry *e);
};

struct rig_conf {
	uint32_t caps;
	uint16_t worker;
	uint16_t n_workers; /* 0: 1 */
	uint16_t vlan;
	uint16_t mtu;
	bool no_addrs;
	bool no_ipv6;
	bool use_dad;
	bool accept_ra;
};

/** Open; *c may be all zero. The interface is started and what it sent is thrown away. */
void rig_open(struct rig *r, const struct rig_conf *c);

/** Open without weir_iface_start(). */
void rig_open_quiet(struct rig *r, const struct rig_conf *c);

/** Check that packets in and out add up to their fates, that no mbuf is lost; close. */
void rig_close(struct rig *r);

/** An mbuf of n bytes split into segments of seg bytes (0: one). */
struct rte_mbuf *rig_mbuf(struct rig *r, const void *bytes, size_t n, size_t seg);

/** A frame to us, from the peer. */
struct rte_mbuf *rig_frame(
	struct rig *r, const struct weir_mac *dst, uint16_t type, const void *payload, size_t n);

/** m is received; ARP is processed, IP packets are left in r->ip4 and r->ip6. Takes m. */
void rig_recv(struct rig *r, struct rte_mbuf *m);

/** Let us pass, fire timers. */
void rig_pass(struct rig *r, uint64_t us);

/** The next frame sent, the caller's, or NULL. */
struct rte_mbuf *rig_sent(struct rig *r);

/** Throw away what was sent. @return number of frames */
unsigned int rig_drain(struct rig *r);

/** Free the packets in v, as if used up (udp_taken). */
void rig_use(struct rig *r, struct weir_vec *v);

/** The fate f counted exactly n so far. */
#define rig_fate(r, f, n_) CU_ASSERT_EQUAL((r)->core.fates[WEIR_FATE_##f], (n_))
#define rig_tx_fate(r, f, n_) CU_ASSERT_EQUAL((r)->core.tx_fates[WEIR_TX_##f], (n_))

static inline const uint8_t *
rig_bytes(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, const uint8_t *);
}

static inline const struct weir_eth_hdr *
rig_eth(const struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod(m, const struct weir_eth_hdr *);
}

#endif
