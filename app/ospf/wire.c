/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire.h"

#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { VERSION = 2, TYPE_HELLO = 1, AUTH_NONE = 0 };

struct wire {
	uint8_t version;
	uint8_t type;
	uint16_t len;
	uint32_t router_id;
	uint32_t area;
	uint16_t cksum;
	uint16_t auth_type;
	uint8_t auth[8]; /* the checksum passes over it */
	uint32_t mask;
	uint16_t hello_s;
	uint8_t options;
	uint8_t priority;
	uint32_t dead_s;
	uint32_t dr;
	uint32_t bdr;
};
static_assert(sizeof(struct wire) == OSPF_HELLO_HLEN, "no padding");

/* RFC 1071 */
static uint32_t
sum_of(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *b = data;
	uint16_t word;

	for (; len >= sizeof(word); len -= sizeof(word), b += sizeof(word)) {
		memcpy(&word, b, sizeof(word));
		sum += word;
	}
	return sum;
}

/* @param len  even, and less than 64 KiB. @return as it lies in memory */
static uint16_t
checksum(struct wire w, const uint8_t *rest, size_t len)
{
	uint32_t sum;

	memset(w.auth, 0, sizeof(w.auth));
	sum = sum_of(sum_of(0, &w, sizeof(w)), rest, len);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

size_t
ospf_hello_build(const struct ospf_hello *h, uint8_t *buf)
{
	const size_t rest = h->n * sizeof(h->neighbors[0]);
	struct wire w = {
		.version = VERSION,
		.type = TYPE_HELLO,
		.len = htons((uint16_t)(sizeof(w) + rest)),
		.router_id = h->router_id,
		.area = h->area,
		.mask = h->mask,
		.hello_s = htons(h->hello_s),
		.options = h->options,
		.priority = h->priority,
		.dead_s = htonl(h->dead_s),
		.dr = h->dr,
		.bdr = h->bdr,
	};

	memcpy(buf + sizeof(w), h->neighbors, rest);
	w.cksum = checksum(w, buf + sizeof(w), rest);
	memcpy(buf, &w, sizeof(w));
	return sizeof(w) + rest;
}

static void
take(struct ospf_hello *h, const struct wire *w)
{
	h->router_id = w->router_id;
	h->area = w->area;
	h->mask = w->mask;
	h->dr = w->dr;
	h->bdr = w->bdr;
	h->dead_s = ntohl(w->dead_s);
	h->hello_s = ntohs(w->hello_s);
	h->options = w->options;
	h->priority = w->priority;
}

int
ospf_hello_parse(struct ospf_hello *h, const uint8_t *buf, size_t len)
{
	struct wire w;
	size_t rest;

	if (len < sizeof(w))
		return -EBADMSG;
	memcpy(&w, buf, sizeof(w));
	if (w.version != VERSION || w.type != TYPE_HELLO || w.auth_type != htons(AUTH_NONE))
		return -EPROTONOSUPPORT;
	if (ntohs(w.len) < sizeof(w) || ntohs(w.len) > len || ntohs(w.len) % 4 != 0)
		return -EBADMSG;
	rest = ntohs(w.len) - sizeof(w);
	if (checksum(w, buf + sizeof(w), rest) != 0)
		return -EBADMSG;
	take(h, &w);
	h->n = (uint32_t)(rest / sizeof(h->neighbors[0]));
	if (h->n > OSPF_NEIGHBORS_MAX)
		h->n = OSPF_NEIGHBORS_MAX;
	memcpy(h->neighbors, buf + sizeof(w), h->n * sizeof(h->neighbors[0]));
	return 0;
}
