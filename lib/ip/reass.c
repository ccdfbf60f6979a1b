/* SPDX-License-Identifier: BSD-3-Clause */
/* Reassembly of both versions: RFC 791 3.2, RFC 8200 4.5, RFC 5722 (no overlaps). */
#include "ip_priv.h"

#include <rte_malloc.h>

#define REASS_MAX	  64  /* datagrams at a time */
#define REASS_FRAGS_MAX	  512 /* fragments held by all of them */
#define REASS_TIMEOUT_US  60000000
#define REASS_LEN_MAX	  65535
#define REASS_LEN_UNKNOWN UINT32_MAX

/* One datagram that is not complete: its fragments by ascending offset. */
struct dgram {
	struct weir_addr src;
	struct weir_addr dst;
	uint32_t id;
	uint32_t len;  /* once the last fragment is there */
	uint32_t have; /* bytes */
	uint16_t n_frags;
	uint8_t proto;
	bool is_used;
	uint64_t until_us;
	struct weir_qnode *first;
};

struct ip_reass {
	unsigned int n_held;
	struct dgram dgrams[REASS_MAX];
};

int
reass_init(struct weir_ip *ip, int numa_node)
{
	ip->reass = rte_zmalloc_socket(
		"weir_reass", sizeof(*ip->reass), RTE_CACHE_LINE_SIZE, numa_node);
	return ip->reass != NULL ? 0 : -ENOMEM;
}

unsigned int
weir_ip_frags_held(const struct weir_ip *ip)
{
	return ip->reass->n_held;
}

static uint32_t
frag_off(struct rte_mbuf *m)
{
	return (uint32_t)weir_pkt(m)->u[0];
}

static uint32_t
frag_end(struct rte_mbuf *m)
{
	return frag_off(m) + weir_pkt(m)->l4_len;
}

/* All fragments of d end; d is free. */
static void
dgram_end(struct weir_ip *ip, struct dgram *d, enum weir_fate fate)
{
	struct weir_qnode *q, *next;

	for (q = d->first; q != NULL; q = next) {
		next = q->next;
		weir_end(ip->core, weir_qnode_mbuf(q), fate);
	}
	ip->reass->n_held -= d->n_frags;
	d->is_used = false;
}

void
reass_fini(struct weir_ip *ip)
{
	for (unsigned int i = 0; i < REASS_MAX; i++) {
		if (ip->reass->dgrams[i].is_used)
			dgram_end(ip, &ip->reass->dgrams[i], WEIR_FATE_drop_frag_timeout);
	}
	rte_free(ip->reass);
	ip->reass = NULL;
}

/* The one that will time out first; NULL without. */
static struct dgram *
find_oldest(struct ip_reass *r)
{
	struct dgram *oldest = NULL;

	for (unsigned int i = 0; i < REASS_MAX; i++) {
		struct dgram *d = &r->dgrams[i];

		if (d->is_used && (oldest == NULL || d->until_us < oldest->until_us))
			oldest = d;
	}
	return oldest;
}

static void
arm(struct weir_ip *ip)
{
	const struct dgram *d = find_oldest(ip->reass);

	if (d == NULL)
		weir_wheel_cancel(ip->core->wheel, &ip->timer);
	else
		weir_wheel_arm(ip->core->wheel, &ip->timer, d->until_us);
}

static bool
is_dgram_of(const struct dgram *d, const struct weir_flow *flow, const struct ip_frag *f)
{
	return d->is_used && d->id == f->id && d->proto == f->proto &&
	       weir_addr_eq(&d->src, &flow->raddr) && weir_addr_eq(&d->dst, &flow->laddr);
}

/* The datagram that a fragment belongs to; a new one takes the place of the oldest if need be. */
static struct dgram *
dgram_of(struct weir_ip *ip, const struct weir_flow *flow, const struct ip_frag *f)
{
	struct ip_reass *r = ip->reass;
	struct dgram *d = NULL;

	for (unsigned int i = 0; i < REASS_MAX; i++) {
		if (is_dgram_of(&r->dgrams[i], flow, f))
			return &r->dgrams[i];
		if (!r->dgrams[i].is_used)
			d = &r->dgrams[i];
	}
	if (d == NULL) {
		d = find_oldest(r);
		dgram_end(ip, d, WEIR_FATE_drop_frag_limit);
	}
	*d = (struct dgram){.src = flow->raddr,
		.dst = flow->laddr,
		.id = f->id,
		.proto = f->proto,
		.len = REASS_LEN_UNKNOWN,
		.until_us = ip->core->now_us + REASS_TIMEOUT_US,
		.is_used = true};
	return d;
}

static bool
is_well_formed(const struct weir_pkt *p, const struct ip_frag *f)
{
	if (p->l4_len == 0 || (f->more && (p->l4_len & 7) != 0))
		return false;
	/* IPv4 counts its header in the length, IPv6 does not. */
	return (p->l3_type == WEIR_ETH_TYPE_IP4 ? p->l4_off : 0) + f->off + p->l4_len <=
	       REASS_LEN_MAX;
}

/* Does a fragment agree with where the datagram ends? Notes the end when it is the last. */
static bool
agrees_on_len(struct dgram *d, struct rte_mbuf *m, bool more)
{
	const uint32_t end = frag_end(m);

	if (more)
		return end <= d->len;
	if (d->len != REASS_LEN_UNKNOWN)
		return end == d->len;
	for (struct weir_qnode *q = d->first; q != NULL; q = q->next) {
		if (frag_end(weir_qnode_mbuf(q)) > end)
			return false;
	}
	d->len = end;
	return true;
}

enum place { PLACED, DUPLICATE, OVERLAP };

/* Put a fragment between those before and behind it. */
static enum place
place(struct dgram *d, struct rte_mbuf *m)
{
	struct weir_qnode **at = &d->first;
	struct rte_mbuf *other;

	for (; *at != NULL; at = &(*at)->next) {
		other = weir_qnode_mbuf(*at);
		if (frag_off(other) == frag_off(m) && frag_end(other) == frag_end(m))
			return DUPLICATE;
		if (frag_off(other) >= frag_end(m))
			break;
		if (frag_end(other) > frag_off(m))
			return OVERLAP;
	}
	weir_pkt(m)->qn.next = *at;
	*at = &weir_pkt(m)->qn;
	d->have += weir_pkt(m)->l4_len;
	d->n_frags++;
	return PLACED;
}

/* All bytes are there: one packet with the first fragment's headers. */
static struct rte_mbuf *
merge(struct weir_ip *ip, struct dgram *d)
{
	struct rte_mbuf *m = weir_qnode_mbuf(d->first);
	struct weir_qnode *q = d->first->next, *next;

	for (; q != NULL; q = next) {
		struct rte_mbuf *part = weir_qnode_mbuf(q);

		next = q->next;
		weir_mbuf_strip(part, weir_pkt(part)->l4_off);
		weir_mbuf_chain(m, part);
		ip->core->fates[WEIR_FATE_frag_merged]++;
	}
	weir_pkt(m)->l4_len = (uint16_t)d->len;
	weir_pkt(m)->flags |= WEIR_PKT_REASSEMBLED;
	weir_pkt(m)->flags &= ~(WEIR_PKT_L4_CKSUM_OK | WEIR_PKT_L4_CKSUM_BAD);
	ip->reass->n_held -= d->n_frags;
	ip->stats.reassembled++;
	d->is_used = false;
	return m;
}

struct rte_mbuf *
reass_add(struct weir_ip *ip, struct rte_mbuf *m, const struct ip_frag *f)
{
	struct weir_pkt *p = weir_pkt(m);
	struct dgram *d;
	enum place where;

	if (!is_well_formed(p, f)) {
		weir_end(ip->core, m, WEIR_FATE_drop_frag_bad);
		return NULL;
	}
	p->u[0] = f->off;
	d = dgram_of(ip, &p->flow, f);
	where = place(d, m);
	if (where == DUPLICATE) {
		weir_end(ip->core, m, WEIR_FATE_drop_frag_bad);
		return NULL;
	}
	if (where == OVERLAP) {
		weir_end(ip->core, m, WEIR_FATE_drop_frag_bad);
		dgram_end(ip, d, WEIR_FATE_drop_frag_bad);
		arm(ip);
		return NULL;
	}
	ip->reass->n_held++;
	if (!agrees_on_len(d, m, f->more))
		dgram_end(ip, d, WEIR_FATE_drop_frag_bad);
	m = d->is_used && d->have == d->len ? merge(ip, d) : NULL;
	while (ip->reass->n_held > REASS_FRAGS_MAX)
		dgram_end(ip, find_oldest(ip->reass), WEIR_FATE_drop_frag_limit);
	arm(ip);
	return m;
}

/* RFC 1122 3.3.2, RFC 8200 4.5: tell the sender, if we have what to quote. */
static void
report_timeout(struct weir_ip *ip, const struct dgram *d)
{
	struct rte_mbuf *m = weir_qnode_mbuf(d->first);

	if (frag_off(m) != 0)
		return;
	icmp_send_error(ip, m,
		&(struct icmp_report){.type = weir_addr_is_v4(&d->src) ? WEIR_ICMP4_TIME_EXCEEDED
								       : WEIR_ICMP6_TIME_EXCEEDED,
			.code = WEIR_ICMP_FRAG_TIMEOUT});
}

void
weir_ip_timer(struct weir_ip *ip)
{
	for (unsigned int i = 0; i < REASS_MAX; i++) {
		struct dgram *d = &ip->reass->dgrams[i];

		if (!d->is_used || d->until_us > ip->core->now_us)
			continue;
		report_timeout(ip, d);
		dgram_end(ip, d, WEIR_FATE_drop_frag_timeout);
	}
	arm(ip);
}
