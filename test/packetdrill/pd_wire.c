/* SPDX-License-Identifier: BSD-3-Clause */
/* Path: netdev_send -> cable -> stack -> cable -> pd_wire_collect -> netdev_receive */
#include "pd.h"

#include <errno.h>
#include <stdlib.h>

#include "weir_pkt.h"

#define BURST	    32
#define PACKET_MAX  65535
#define IP6_HLEN    40
#define ICMP6	    58
#define ICMP6_MLD   130 /* first and last type of the group messages of old */
#define ICMP6_MLD_3 132
#define ICMP6_ND    133 /* first and last type of neighbour discovery */
#define ICMP6_ND_5  137
#define ICMP6_MLD2  143

/* Packets in */

/* A chain with room for an Ethernet header before the packet; NULL: pool dry. */
static struct rte_mbuf *
make_frame(struct pd *p, const uint8_t *data, size_t len)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(p->pool), *m = head;

	while (m != NULL) {
		const uint16_t part = (uint16_t)RTE_MIN(len, (size_t)rte_pktmbuf_tailroom(m));

		memcpy(rte_pktmbuf_append(m, part), data, part);
		if (m != head && rte_pktmbuf_chain(head, m) != 0)
			break;
		data += part;
		len -= part;
		if (len == 0)
			return head;
		m = rte_pktmbuf_alloc(p->pool);
	}
	rte_pktmbuf_free(head);
	return NULL;
}

static void
put_ethernet(struct pd *p, struct rte_mbuf *m, uint8_t version)
{
	struct weir_eth_hdr *eth = (struct weir_eth_hdr *)rte_pktmbuf_prepend(m, sizeof(*eth));

	eth->src = p->wire->info.mac;
	eth->dst = weir_cable_port(p->cable, 0)->info.mac;
	eth->type = weir_be16(version == 6 ? WEIR_ETH_TYPE_IP6 : WEIR_ETH_TYPE_IP4);
}

int
pd_netdev_send(void *ctx, const void *packet, size_t len)
{
	struct pd *p = pd_enter(ctx);
	struct rte_mbuf *m = NULL;
	int rc = 0;

	if (packet == NULL || len == 0 || len > PACKET_MAX)
		rc = -EINVAL;
	else
		m = make_frame(p, packet, len);
	if (rc == 0 && m == NULL)
		rc = -ENOBUFS;
	if (m != NULL) {
		put_ethernet(p, m, *(const uint8_t *)packet >> 4);
		if (weir_port_tx(p->wire, 0, &m, 1) != 1) {
			rte_pktmbuf_free(m);
			rc = -ENOBUFS;
		}
	}
	return (int)pd_leave(p, rc);
}

/* Packets out */

/* Neighbour discovery and group membership are the link's, which scripts do not see. */
static bool
is_of_link(const uint8_t *ip, size_t len)
{
	uint8_t type;

	if (len <= IP6_HLEN || ip[0] >> 4 != 6)
		return false;
	if (ip[6] == 0) /* hop-by-hop options: the router alert of group messages */
		return len > IP6_HLEN + 8 && ip[IP6_HLEN] == ICMP6 &&
		       (ip[IP6_HLEN + 8] == ICMP6_MLD2 ||
			       (ip[IP6_HLEN + 8] >= ICMP6_MLD && ip[IP6_HLEN + 8] <= ICMP6_MLD_3));
	type = ip[IP6_HLEN];
	return ip[6] == ICMP6 && type >= ICMP6_ND && type <= ICMP6_ND_5;
}

static void
collect_one(struct pd *p, const struct rte_mbuf *m)
{
	uint8_t buf[WEIR_ETH_HLEN];
	const struct weir_eth_hdr *eth = rte_pktmbuf_read(m, 0, sizeof(buf), buf);
	const uint16_t type = eth == NULL ? 0 : weir_host16(eth->type);
	const uint32_t len = m->pkt_len - WEIR_ETH_HLEN;
	struct pd_out *o;
	const void *data;

	if (type != WEIR_ETH_TYPE_IP4 && type != WEIR_ETH_TYPE_IP6)
		return;
	o = malloc(sizeof(*o) + len);
	if (o == NULL)
		abort();
	*o = (struct pd_out){.left_us = pd_now(p), .len = len};
	data = rte_pktmbuf_read(m, WEIR_ETH_HLEN, len, o->data);
	if (data != o->data)
		memcpy(o->data, data, len);
	if (is_of_link(o->data, len))
		free(o);
	else
		STAILQ_INSERT_TAIL(&p->out, o, link);
}

unsigned int
pd_wire_collect(struct pd *p)
{
	struct rte_mbuf *m[BURST];
	const uint16_t n = weir_port_rx(p->wire, 0, m, BURST);

	for (uint16_t i = 0; i < n; i++) {
		collect_one(p, m[i]);
		rte_pktmbuf_free(m[i]);
	}
	return n;
}

void
pd_wire_drop(struct pd *p)
{
	struct pd_out *o;

	while ((o = STAILQ_FIRST(&p->out)) != NULL) {
		STAILQ_REMOVE_HEAD(&p->out, link);
		free(o);
	}
}

static bool
has_packet(struct pd *p, void *arg)
{
	return !STAILQ_EMPTY(&p->out);
}

int
pd_netdev_receive(void *ctx, void *packet, size_t *len, long long *time_us)
{
	struct pd *p = pd_enter(ctx);
	struct pd_out *o;

	/* The tool asks for what is due: a packet that does not come fails the script by length 0.
	 */
	if (!pd_pass(p, pd_now(p) + p->knobs.patience_us, has_packet, NULL)) {
		*len = 0;
		*time_us = (long long)pd_now(p);
		pthread_mutex_unlock(&p->lock);
		return 0;
	}
	o = STAILQ_FIRST(&p->out);
	STAILQ_REMOVE_HEAD(&p->out, link);
	pthread_mutex_unlock(&p->lock);
	*len = RTE_MIN(*len, o->len);
	memcpy(packet, o->data, *len);
	*time_us = (long long)o->left_us;
	free(o);
	return 0;
}
