/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages of data to send: source, interface, hop limit, class, how it is cut, stamps. */
#include <errno.h>
#include <linux/udp.h>

#include "send_priv.h"

/* A control message whose data is long enough, or not. */
static int
read_data(const struct cmsghdr *c, void *to, size_t len)
{
	if (c->cmsg_len < CMSG_LEN(len))
		return -EINVAL;
	memcpy(to, CMSG_DATA(c), len);
	return 0;
}

/* An int within bounds; IP_TOS may also be a byte (ip(7)). */
static int
read_int(const struct cmsghdr *c, int min, int max, int16_t *to)
{
	int v = 0;

	if (c->cmsg_len == CMSG_LEN(1))
		v = *(const uint8_t *)CMSG_DATA(c);
	else if (read_data(c, &v, sizeof(v)) != 0)
		return -EINVAL;
	if (v < min || v > max)
		return -EINVAL;
	*to = (int16_t)v;
	return 0;
}

static int
take_iface(const struct weir_stack *st, int64_t ifindex, struct weir_pkt *p)
{
	if (ifindex == 0)
		return 0;
	if (ifindex < 0 || ifindex > st->n_ports)
		return -ENODEV;
	p->how.ifindex = (int16_t)(ifindex - 1);
	return 0;
}

static void
take_source(struct weir_pkt *p, const struct weir_addr *src)
{
	if (weir_addr_is_any(src))
		return;
	p->flow.laddr = *src;
	p->how.has_src = true;
}

static int
take_pktinfo4(const struct weir_stack *st, const struct cmsghdr *c, struct weir_pkt *p)
{
	struct in_pktinfo info;
	struct weir_addr src;

	if (read_data(c, &info, sizeof(info)) != 0)
		return -EINVAL;
	src = weir_addr_v4((struct weir_be32){info.ipi_spec_dst.s_addr});
	take_source(p, &src);
	return take_iface(st, info.ipi_ifindex, p);
}

static int
take_pktinfo6(const struct weir_stack *st, const struct cmsghdr *c, struct weir_pkt *p)
{
	struct in6_pktinfo info;
	struct weir_addr src;

	if (read_data(c, &info, sizeof(info)) != 0)
		return -EINVAL;
	src = weir_addr_v6(info.ipi6_addr.s6_addr);
	take_source(p, &src);
	return take_iface(st, info.ipi6_ifindex, p);
}

static int
take_ip4(const struct weir_stack *st, const struct cmsghdr *c, struct weir_pkt *p)
{
	switch (c->cmsg_type) {
	case IP_PKTINFO:
		return take_pktinfo4(st, c, p);
	case IP_TTL:
		return read_int(c, 1, UINT8_MAX, &p->how.ttl);
	case IP_TOS:
		return read_int(c, 0, UINT8_MAX, &p->how.tos);
	default:
		return -EINVAL;
	}
}

static int
take_ip6(const struct weir_stack *st, const struct cmsghdr *c, struct weir_pkt *p)
{
	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
		return take_pktinfo6(st, c, p);
	case IPV6_DONTFRAG:
		return read_int(c, 0, 1, &p->how.dontfrag);
	case IPV6_HOPLIMIT:
		return read_int(c, -1, UINT8_MAX, &p->how.ttl);
	case IPV6_TCLASS:
		return read_int(c, -1, UINT8_MAX, &p->how.tos);
	default:
		return -EINVAL;
	}
}

static int
take_segment(const struct cmsghdr *c, struct weir_pkt *p)
{
	if (c->cmsg_type != UDP_SEGMENT || c->cmsg_len != CMSG_LEN(sizeof(uint16_t)))
		return -EINVAL;
	memcpy(&p->how.segment, CMSG_DATA(c), sizeof(p->how.segment));
	return 0;
}

static int
take_stamps(const struct cmsghdr *c, uint32_t *stamps)
{
	uint32_t v;

	if (c->cmsg_type == SCM_RIGHTS || c->cmsg_type == SCM_CREDENTIALS)
		return 0;
	if (c->cmsg_type != SO_TIMESTAMPING || c->cmsg_len != CMSG_LEN(sizeof(v)))
		return -EINVAL;
	memcpy(&v, CMSG_DATA(c), sizeof(v));
	if ((v & ~(uint32_t)WEIR_STAMPS_SENT) != 0)
		return -EINVAL;
	*stamps = (*stamps & ~(uint32_t)WEIR_STAMPS_SENT) | v;
	return 0;
}

/* As Linux: levels that are not the socket's are passed over, what is not known is refused. */
static int
take_one(const struct weir_stack *st, const struct weir_sock *s, const struct cmsghdr *c,
	struct weir_pkt *p)
{
	if (c->cmsg_level == SOL_SOCKET)
		return take_stamps(c, &p->how.stamps);
	if (c->cmsg_level == IPPROTO_UDP && s->kind == WEIR_SOCK_UDP)
		return take_segment(c, p);
	if (c->cmsg_level == IPPROTO_IP)
		return take_ip4(st, c, p);
	if (c->cmsg_level == IPPROTO_IPV6 && s->domain == AF_INET6)
		return take_ip6(st, c, p);
	return 0;
}

/* The next that is not cut off; *c NULL: there is none. @return 0; -EINVAL */
static int
next_cmsg(struct msghdr *all, struct cmsghdr **c)
{
	size_t left;

	*c = *c == NULL ? CMSG_FIRSTHDR(all) : CMSG_NXTHDR(all, *c);
	if (*c == NULL)
		return 0;
	left = all->msg_controllen - (size_t)((char *)*c - (char *)all->msg_control);
	return (*c)->cmsg_len < sizeof(**c) || (*c)->cmsg_len > left ? -EINVAL : 0;
}

int
weir_send_stream_cmsgs(const struct msghdr *msg, uint32_t *stamps)
{
	struct msghdr all = *msg;
	struct cmsghdr *c = NULL;
	int rc = 0;

	while (rc == 0 && (rc = next_cmsg(&all, &c)) == 0 && c != NULL)
		if (c->cmsg_level == SOL_SOCKET)
			rc = take_stamps(c, stamps);
	return rc;
}

int
weir_send_cmsgs(struct weir_stack *st, const struct weir_sock *s, const struct msghdr *msg,
	struct weir_pkt *p)
{
	struct msghdr all = *msg;
	struct cmsghdr *c = NULL;
	int rc = 0;

	if (msg->msg_control == NULL)
		return -EFAULT;
	while (rc == 0 && (rc = next_cmsg(&all, &c)) == 0 && c != NULL)
		rc = take_one(st, s, c, p);
	return rc;
}
