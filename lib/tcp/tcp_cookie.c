/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Path: tcp_listen -> tcp_cookie -> tcp_req. SYN cookies: a listener whose queue is full keeps
 * nothing of a SYN. Its sequence number is a keyed hash of the flow and the minute, with the peer's
 * MSS in the lowest bits; the other options are in the lowest bits of the timestamp that the peer
 * echoes.
 */
#include "tcp_priv.h"

#include <stddef.h>

#define MINUTE_US   60000000
#define MSS_BITS    3
#define TS_BITS	    6
#define TS_NO_SCALE 15u
#define TS_SACK	    (1u << 4)
#define TS_ECN	    (1u << 5)

/* Rounded down to what is common on paths. */
static const uint16_t sizes[1 << MSS_BITS] = {64, 536, 1220, 1380, 1440, 1452, 1460, 8940};

static unsigned int
size_index(uint16_t mss)
{
	unsigned int i = RTE_DIM(sizes) - 1;

	while (i > 0 && sizes[i] > mss)
		i--;
	return i;
}

/* 29 bits in the place of the upper ones of a sequence number. */
static uint32_t
hash(const struct weir_tcp *t, const struct weir_flow *flow, uint32_t irs, uint64_t minute)
{
	const size_t flow_len = offsetof(struct weir_flow, rport) + sizeof(flow->rport);
	uint8_t key[offsetof(struct weir_flow, rport) + sizeof(flow->rport) + sizeof(irs) +
		    sizeof(minute)];

	memcpy(key, flow, flow_len);
	memcpy(key + flow_len, &irs, sizeof(irs));
	memcpy(key + flow_len + sizeof(irs), &minute, sizeof(minute));
	return (uint32_t)weir_siphash(t->core->secret, key, sizeof(key)) << MSS_BITS;
}

static uint64_t
minute(const struct weir_tcp *t)
{
	return t->core->now_us / MINUTE_US;
}

uint32_t
weir_tcp_cookie_ts(const struct weir_tcp_req *req, uint32_t now_ms)
{
	uint32_t bits = req->has_wscale ? req->snd_wscale : TS_NO_SCALE;
	uint32_t ts;

	bits |= req->has_sack ? TS_SACK : 0;
	bits |= req->ecn != WEIR_TCP_REQ_ECN_NO ? TS_ECN : 0;
	ts = (now_ms & ~((1u << TS_BITS) - 1)) | bits;
	return ts > now_ms ? ts - (1u << TS_BITS) : ts; /* never of the future */
}

void
weir_tcp_cookie_answer(
	struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_rx *rx)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	const uint16_t mss = rx->seg.mss != 0		       ? rx->seg.mss
			     : weir_addr_is_v4(&p->flow.raddr) ? WEIR_TCP_MSS_IP4
							       : WEIR_TCP_MSS_IP6;
	struct weir_tcp_req req;

	weir_tcp_req_fill(t, &req, l, rx);
	req.is_cookie = true;
	req.iss = hash(t, &p->flow, rx->seg.seq, minute(t)) | size_index(mss);
	if (!req.has_ts) {
		req.has_wscale = false;
		req.has_sack = false;
		req.ecn = WEIR_TCP_REQ_ECN_NO;
	}
	t->cookies_until_us = t->core->now_us + 2 * MINUTE_US;
	t->stats.cookies_sent++;
	weir_tcp_req_send_syn_ack(t, &req, NULL);
}

/* Which ECN it was, the ACK tells: of the accurate kind, how our answer arrived (RFC 9768 3.2.2.1).
 */
static uint8_t
ecn_of(const struct weir_tcp *t, const struct weir_tcp_rx *rx)
{
	return t->conf.ecn >= WEIR_TCP_ECN_ACCURATE && weir_tcp_ace(rx) > 1
		       ? WEIR_TCP_REQ_ECN_ACCURATE
		       : WEIR_TCP_REQ_ECN_CLASSIC;
}

/* What the timestamp that came back says of the SYN; without one there was no option but MSS. */
static void
take_options(const struct weir_tcp *t, struct weir_tcp_req *req, const struct weir_tcp_rx *rx)
{
	const struct weir_tcp_seg *seg = &rx->seg;
	uint32_t bits, scale;

	if (!t->conf.use_timestamps || !(seg->opts & WEIR_TCP_OPT_TS))
		return;
	bits = seg->ts_ecr - weir_tcp_ts_offset(t, &req->flow);
	scale = bits & TS_NO_SCALE;
	req->has_ts = true;
	req->ts_recent = seg->ts_val;
	req->has_sack = t->conf.use_sack && (bits & TS_SACK);
	req->ecn = (bits & TS_ECN) ? ecn_of(t, rx) & 7 : WEIR_TCP_REQ_ECN_NO;
	req->has_wscale = t->conf.use_wscale && scale <= WEIR_TCP_WSCALE_MAX;
	if (req->has_wscale) {
		req->snd_wscale = (uint8_t)scale;
		req->rcv_wscale = weir_tcp_wscale_for(t, &req->listener->opts);
	}
}

static bool
is_ours(const struct weir_tcp *t, const struct weir_flow *flow, uint32_t irs, uint32_t iss)
{
	const uint32_t upper = iss & ~(RTE_DIM(sizes) - 1);

	return upper == hash(t, flow, irs, minute(t)) || upper == hash(t, flow, irs, minute(t) - 1);
}

bool
weir_tcp_cookie_check(const struct weir_tcp *t, struct weir_tcp_listener *l,
	const struct weir_tcp_rx *rx, struct weir_tcp_req *req)
{
	const struct weir_pkt *p = weir_pkt(rx->m);
	const struct weir_tcp_seg *seg = &rx->seg;

	if (!is_ours(t, &p->flow, seg->seq - 1, seg->ack - 1))
		return false;
	*req = (struct weir_tcp_req){
		.flow = p->flow,
		.iss = seg->ack - 1,
		.irs = seg->seq - 1,
		.mss = sizes[(seg->ack - 1) & (RTE_DIM(sizes) - 1)],
		.wnd = seg->wnd,
		.ifindex = p->ifindex,
		.listener = l,
		.is_cookie = true,
	};
	take_options(t, req, rx);
	return true;
}
