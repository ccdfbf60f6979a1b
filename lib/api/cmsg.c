/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages of received data. */
#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include <linux/errqueue.h>

#include "recv_priv.h"

void
weir_cmsg_put(struct weir_cmsgs *c, int level, int type, const void *data, size_t len)
{
	struct cmsghdr h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
	const size_t room = c->msg->msg_controllen - c->used;
	char *to = (char *)c->msg->msg_control + c->used;

	if (c->msg->msg_control == NULL || room < sizeof(h)) {
		c->msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	if (room < h.cmsg_len) {
		c->msg->msg_flags |= MSG_CTRUNC;
		h.cmsg_len = room;
	}
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), data, h.cmsg_len - sizeof(h));
	c->used += RTE_MIN(CMSG_SPACE(len), room);
}

/* A moment of the stack's clock as the world's. A virtual clock is a world of its own. */
static struct timespec
wall_time(const struct weir_stack *st, uint64_t at_us)
{
	struct timespec now = {
		.tv_sec = (time_t)(at_us / 1000000), .tv_nsec = (long)(at_us % 1000000) * 1000};
	uint64_t ns;

	if (st->clock != &st->tsc)
		return now;
	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec -
	     (weir_clock_now_us(st->clock) - at_us) * 1000;
	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
}

void
weir_cmsg_put_time(struct weir_cmsgs *c, const struct weir_stack *st, const struct weir_sock *s,
	uint64_t at_us, uint32_t stamps)
{
	const bool has_stamp = (weir_sock_stamps(s) & stamps) == stamps;
	struct scm_timestamping all = {0};
	struct timespec ts;
	struct timeval tv;

	if (!has_stamp && !weir_sock_has(s, WEIR_SW_TIMESTAMP | WEIR_SW_TIMESTAMPNS))
		return;
	ts = wall_time(st, at_us);
	tv = (struct timeval){.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};
	all.ts[0] = ts; /* of software; there are none of hardware */
	if (weir_sock_has(s, WEIR_SW_TIMESTAMPNS))
		weir_cmsg_put(c, SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof(ts));
	else if (weir_sock_has(s, WEIR_SW_TIMESTAMP))
		weir_cmsg_put(c, SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv));
	if (has_stamp)
		weir_cmsg_put(c, SOL_SOCKET, SCM_TIMESTAMPING, &all, sizeof(all));
}

static void
put_ip4(struct weir_cmsgs *c, const struct weir_sock *s, const struct weir_pkt *p)
{
	const struct in_pktinfo info = {
		.ipi_ifindex = p->ifindex + 1,
		.ipi_spec_dst.s_addr = weir_addr_to_v4(&p->flow.laddr).raw,
		.ipi_addr.s_addr = weir_addr_to_v4(&p->flow.laddr).raw,
	};
	const int ttl = p->ttl;

	if (weir_sock_has(s, WEIR_SW_PKTINFO))
		weir_cmsg_put(c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (weir_sock_has(s, WEIR_SW_RECVTTL))
		weir_cmsg_put(c, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	if (weir_sock_has(s, WEIR_SW_RECVTOS))
		weir_cmsg_put(c, IPPROTO_IP, IP_TOS, &p->tos, sizeof(p->tos));
}

/* Also of IPv4 datagrams that an IPv6 socket receives. */
static void
put_ip6(struct weir_cmsgs *c, const struct weir_sock *s, const struct weir_pkt *p)
{
	const int ttl = p->ttl, tos = p->tos;
	struct in6_pktinfo info = {.ipi6_ifindex = p->ifindex + 1u};

	memcpy(&info.ipi6_addr, p->flow.laddr.b, sizeof(info.ipi6_addr));
	if (weir_sock_has(s, WEIR_SW_PKTINFO6))
		weir_cmsg_put(c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	if (weir_addr_is_v4(&p->flow.laddr))
		return;
	if (weir_sock_has(s, WEIR_SW_RECVHOPLIMIT))
		weir_cmsg_put(c, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	if (weir_sock_has(s, WEIR_SW_RECVTCLASS))
		weir_cmsg_put(c, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

void
weir_cmsg_put_datagram(struct weir_cmsgs *c, const struct weir_sock *s, const struct weir_pkt *p)
{
	if (s->domain == AF_INET6)
		put_ip6(c, s, p);
	if (weir_addr_is_v4(&p->flow.laddr))
		put_ip4(c, s, p);
}
