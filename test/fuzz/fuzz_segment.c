/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP in every state: an input is a list of acts, segments near what a connection expects and calls
 * of applications, so that what a random change breaks is the meaning, not the checksum.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#define ACTS	    128
#define PAYLOAD_MAX 1400

enum act {
	ACT_SEGMENT, /* to a connection that is there */
	ACT_SYN,     /* from a port of the peer to a service */
	ACT_CONNECT,
	ACT_SEND,
	ACT_RECV,
	ACT_SHUTDOWN,
	ACT_CLOSE,
	ACT_ABORT,
	ACT_OPTION,
	ACT_PASS,
	ACTS_N
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Segments */

struct segment {
	uint16_t sport, dport; /* network byte order */
	uint32_t seq, ack;
	uint16_t wnd, urg;
	uint8_t flags;
	uint8_t opts_len; /* a multiple of 4 */
	uint8_t opts[40];
	uint16_t len;
};

static void
send_segment(struct fuzz *f, const struct segment *s)
{
	uint8_t frame[14 + 20 + 60 + PAYLOAD_MAX] = {0};
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	const uint16_t ip_len = (uint16_t)(40 + s->opts_len + s->len);

	memcpy(&eth->dst_addr, &weir_cable_port(f->cable, 0)->info.mac, 6);
	memcpy(&eth->src_addr, fuzz_peer_mac, 6);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
		.total_length = rte_cpu_to_be_16(ip_len),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_TCP,
		.src_addr = htonl(0x0a000002),
		.dst_addr = htonl(0x0a000001)};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*tcp = (struct rte_tcp_hdr){.src_port = s->sport,
		.dst_port = s->dport,
		.sent_seq = htonl(s->seq),
		.recv_ack = htonl(s->ack),
		.data_off = (uint8_t)((20 + s->opts_len) / 4 << 4),
		.tcp_flags = s->flags,
		.rx_win = htons(s->wnd),
		.tcp_urp = htons(s->urg)};
	memcpy(tcp + 1, s->opts, s->opts_len);
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	fuzz_send(f, frame, 14u + ip_len);
}

static void
put_ts(struct segment *s, uint32_t val, uint32_t ecr)
{
	const uint32_t v = htonl(val), e = htonl(ecr);

	memcpy(s->opts, (uint8_t[]){1, 1, 8, 10}, 4);
	memcpy(s->opts + 4, &v, 4);
	memcpy(s->opts + 8, &e, 4);
	s->opts_len = 12;
}

/* What the peer may have of it, by chance (RFC 2018). */
static void
put_sack(struct segment *s, const struct weir_tcp_conn *c, struct fuzz_in *in)
{
	const uint32_t left = htonl(c->snd.una + (uint32_t)(int16_t)fuzz_u16(in));
	const uint32_t right = htonl(c->snd.una + fuzz_u16(in));
	uint8_t *o = s->opts + s->opts_len;

	memcpy(o, (uint8_t[]){1, 1, 5, 10}, 4);
	memcpy(o + 4, &left, 4);
	memcpy(o + 8, &right, 4);
	s->opts_len = (uint8_t)(s->opts_len + 12);
}

static void
put_options(struct segment *s, const struct weir_tcp_conn *c, struct fuzz_in *in)
{
	const uint8_t kind = fuzz_u8(in);

	if (kind & 0x80) { /* any bytes */
		s->opts_len = (uint8_t)(fuzz_bytes(in, s->opts, kind % 41u) & ~3u);
		return;
	}
	if (c->has_ts && !(kind & 0x40))
		put_ts(s, c->ts_recent + (kind & 3),
			(uint32_t)(c->ts_offset + c->heard_us / 1000) - (kind >> 4 & 3));
	if (kind & 0x08)
		put_sack(s, c, in);
}

static void
act_segment(struct fuzz *f, struct fuzz_in *in)
{
	const struct weir_tcp_conn *c = fuzz_conn(f, fuzz_u8(in));
	struct segment s = {0};

	if (c == NULL || !weir_addr_is_v4(&c->flow.raddr))
		return;
	memcpy(&s.sport, &c->flow.rport, 2);
	memcpy(&s.dport, &c->flow.lport, 2);
	s.flags = fuzz_u8(in);
	s.seq = c->rcv.nxt + (uint32_t)(int16_t)fuzz_u16(in);
	s.ack = c->snd.max + (uint32_t)(int16_t)fuzz_u16(in);
	s.wnd = fuzz_u16(in);
	s.urg = s.flags & 0x20 ? fuzz_u16(in) : 0;
	s.len = fuzz_u16(in) % PAYLOAD_MAX;
	put_options(&s, c, in);
	send_segment(f, &s);
}

static void
act_syn(struct fuzz *f, struct fuzz_in *in)
{
	struct segment s = {.flags = 2, .wnd = 65535};
	const uint8_t which = fuzz_u8(in);

	s.sport = htons(1000 + which % 8);
	s.dport = htons(which & 8 ? 80 : 81);
	s.seq = (uint32_t)fuzz_u16(in) << 16;
	s.opts_len = (uint8_t)(fuzz_bytes(in, s.opts, fuzz_u8(in) % 41u) & ~3u);
	s.len = which & 0x80 ? fuzz_u8(in) : 0;
	send_segment(f, &s);
}

/* Applications */

static int *
some_app(struct fuzz *f, struct fuzz_in *in)
{
	return &f->app[fuzz_u8(in) % FUZZ_APPS_MAX];
}

static void
act_connect(struct fuzz *f, struct fuzz_in *in)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(2000 + fuzz_u8(in) % 4)),
		.sin_addr.s_addr = htonl(0x0a000002)};
	int *app = some_app(f, in);

	if (*app < 0)
		*app = weir_socket(f->st, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	weir_connect(f->st, *app, (const struct sockaddr *)&to, sizeof(to));
}

static void
act_option(struct fuzz *f, struct fuzz_in *in)
{
	static const int names[] = {TCP_NODELAY, TCP_CORK, TCP_QUICKACK, TCP_MAXSEG, TCP_KEEPIDLE,
		TCP_USER_TIMEOUT, TCP_WINDOW_CLAMP, TCP_LINGER2};
	const int *app = some_app(f, in);
	const int value = fuzz_u16(in);

	weir_setsockopt(f->st, *app, IPPROTO_TCP, names[fuzz_u8(in) % RTE_DIM(names)], &value,
		sizeof(value));
}

static void
act_close(struct fuzz *f, struct fuzz_in *in, bool is_abort)
{
	const struct linger now = {.l_onoff = 1};
	int *app = some_app(f, in);

	if (is_abort)
		weir_setsockopt(f->st, *app, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	weir_close(f->st, *app);
	*app = -1;
}

static void
act(struct fuzz *f, struct fuzz_in *in)
{
	static uint8_t buf[65536];

	switch ((enum act)(fuzz_u8(in) % ACTS_N)) {
	case ACT_SEGMENT:
		act_segment(f, in);
		break;
	case ACT_SYN:
		act_syn(f, in);
		break;
	case ACT_CONNECT:
		act_connect(f, in);
		break;
	case ACT_SEND:
		weir_send(f->st, *some_app(f, in), buf, fuzz_u16(in), 0);
		break;
	case ACT_RECV:
		weir_recv(f->st, *some_app(f, in), buf, fuzz_u16(in), 0);
		break;
	case ACT_SHUTDOWN:
		weir_shutdown(f->st, *some_app(f, in), fuzz_u8(in) % 3);
		break;
	case ACT_CLOSE:
		act_close(f, in, false);
		break;
	case ACT_ABORT:
		act_close(f, in, true);
		break;
	case ACT_OPTION:
		act_option(f, in);
		break;
	case ACT_PASS:
	default:
		fuzz_pass(f, UINT64_C(1) << fuzz_u8(in) % 28);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = fuzz_begin();
	struct fuzz_in in = {data, size};

	for (unsigned int i = 0; i < ACTS && in.left > 0; i++) {
		act(f, &in);
		fuzz_pass(f, 1);
	}
	fuzz_end(f);
	return 0;
}
