/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files of lib/tcp share.
 */
#ifndef TCP_PRIV_H
#define TCP_PRIV_H

#include <errno.h>

#include "weir_ip_hdr.h"
#include "weir_tcp.h"
#include "weir_tcp_hdr.h"

#define WEIR_TCP_COPY_MAX      256 /* payload up to this is copied, not referenced */
#define WEIR_TCP_PASS_SEGS     64  /* segments of one connection in one pass of the flush */
#define WEIR_TCP_ROOM_MIN      64  /* free places in the interface's queue below which TCP waits */
#define WEIR_TCP_TSO_MAX       65400u /* payload of a super-segment: 64 KiB less all headers */
#define WEIR_TCP_BURST_SHIFT   10  /* bytes a second >> this: what goes in about a millisecond */
#define WEIR_TCP_QUICK_ACKS    16  /* segments acknowledged at once at the start */
#define WEIR_TCP_SYN_MIN       128 /* SYN_RECEIVED connections that any listener may have */
#define WEIR_TCP_MSS_IP4       536 /* RFC 9293 3.7.1: a peer that does not say */
#define WEIR_TCP_MSS_IP6       1220
#define WEIR_TCP_MSS_MIN       64
#define WEIR_TCP_PAWS_IDLE_US  (24ull * 86400 * 1000000) /* RFC 7323 5.5 */
#define WEIR_TCP_DUP_THRESH    3 /* RFC 5681 3.2, and the reordering taken for granted */
#define WEIR_TCP_RTO_NO_SAMPLE 3000000 /* RFC 6298 5.7 */

/** One segment while it is processed. */
struct weir_tcp_rx {
	struct rte_mbuf *m;      /* NULL once its payload is kept */
	struct weir_tcp_seg seg; /* trimmed and stripped on the way */
	uint16_t data_off;       /* of the payload in m */
	enum weir_fate fate;     /* why m ends */
};

enum weir_tcp_verdict { SEG_GOES_ON, SEG_DONE };

/** The segment ends here, as fate. */
static inline enum weir_tcp_verdict
weir_tcp_done(struct weir_tcp_rx *rx, enum weir_fate fate)
{
	rx->fate = fate;
	return SEG_DONE;
}

/** Bytes on the left of a that are right of b, 0 when a is not after b. */
static inline uint32_t
weir_tcp_seq_span(uint32_t a, uint32_t b)
{
	return weir_seq_gt(a, b) ? a - b : 0;
}

/** Sequence numbers of a segment, SYN and FIN included. */
static inline uint32_t
weir_tcp_seg_space(const struct weir_tcp_seg *seg)
{
	return seg->len + !!(seg->flags & WEIR_TCP_SYN) + !!(seg->flags & WEIR_TCP_FIN);
}

/** Timestamp clock, 1 ms (RFC 7323 5.4), with the connection's random offset. */
static inline uint32_t
weir_tcp_ts_now(const struct weir_tcp *t, const struct weir_tcp_conn *c)
{
	return (uint32_t)(t->core->now_us / 1000) + c->ts_offset;
}

/**
 * May what is not acceptable be answered (as Linux's tcp_invalid_ratelimit)? Notes that it is.
 * @param last_ms  when it was last; 0: never
 */
static inline bool
weir_tcp_may_answer(const struct weir_tcp *t, uint32_t *last_ms)
{
	const uint32_t now_ms = (uint32_t)(t->core->now_us / 1000);

	if (*last_ms != 0 && now_ms - *last_ms < t->conf.invalid_ratelimit_us / 1000)
		return false;
	*last_ms = RTE_MAX(now_ms, 1u);
	return true;
}

/** One more event of this second. @return false: there were max already; 0 is no limit */
static inline bool
weir_tcp_limit_take(const struct weir_tcp *t, struct weir_tcp_limit *limit, uint32_t max)
{
	const uint64_t second = t->core->now_us / 1000000;

	if (limit->second != second)
		*limit = (struct weir_tcp_limit){.second = second};
	if (max != 0 && limit->n >= max)
		return false;
	limit->n++;
	return true;
}

static inline bool
weir_tcp_is_v4(const struct weir_tcp_conn *c)
{
	return weir_addr_is_v4(&c->flow.raddr);
}

/** Sent, not acknowledged: SYN, data or FIN. */
static inline bool
weir_tcp_is_in_flight(const struct weir_tcp_conn *c)
{
	return c->snd.max != c->snd.una;
}

/** Sequence numbers of ours and of the peer's, relative to the SYN: for traces. */
static inline uint32_t
weir_tcp_sent_pos(const struct weir_tcp_conn *c, uint32_t seq)
{
	return seq - c->iss;
}

static inline uint32_t
weir_tcp_rcvd_pos(const struct weir_tcp_conn *c, uint32_t seq)
{
	return seq - c->irs;
}

/** Data or a FIN waits to be sent, or sent again. */
static inline bool
weir_tcp_has_unsent(const struct weir_tcp_conn *c)
{
	return weir_seq_lt(c->snd.nxt, c->snd.end + c->is_fin_queued);
}

static inline bool
weir_tcp_is_fin_acked(const struct weir_tcp_conn *c)
{
	return c->is_fin_queued && weir_seq_gt(c->snd.una, c->snd.end);
}

/** c holds bytes more of received data: counted for it and for the worker. */
static inline void
weir_tcp_hold(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t bytes)
{
	c->rcv.held += bytes;
	t->held += bytes;
}

static inline void
weir_tcp_let_go(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t bytes)
{
	WEIR_ASSERT(bytes <= c->rcv.held);
	c->rcv.held -= bytes;
	t->held -= bytes;
}

/** The congestion control algorithm's own state: WEIR_TCP_CC_PRIV bytes, zero before init. */
static inline void *
weir_tcp_cc_priv(struct weir_tcp_conn *c)
{
	return c->act->cc_priv;
}

/** Segments in flight, as far as is known. */
static inline uint32_t
weir_tcp_pipe(const struct weir_tcp_conn *c)
{
	const struct weir_tcp_act *act = c->act;

	return act->out_segs - act->sacked_segs - act->lost_segs + act->rexmit_segs;
}

/** Segments that the congestion window lets out. */
static inline uint32_t
weir_tcp_quota(const struct weir_tcp_conn *c)
{
	const uint32_t pipe = weir_tcp_pipe(c);
	uint32_t cwnd;

	if (c->cc.cwnd < (pipe + 1) * (uint64_t)c->mss) /* without dividing: the common case */
		return pipe == 0;
	cwnd = c->cc.cwnd / c->mss;
	return cwnd - pipe;
}

/** Does it let out any? Without the division of weir_tcp_quota(). */
static inline bool
weir_tcp_has_quota(const struct weir_tcp_conn *c)
{
	const uint32_t pipe = weir_tcp_pipe(c);

	return pipe == 0 || c->cc.cwnd >= ((uint64_t)pipe + 1) * c->mss;
}

/** Take over the window that seg tells, wnd scaled. @return whether it is another one */
static inline bool
weir_tcp_set_window(struct weir_tcp_conn *c, const struct weir_tcp_seg *seg, uint32_t wnd)
{
	c->snd.wl1 = seg->seq;
	if (wnd == c->snd.wnd)
		return false;
	c->snd.wnd = wnd;
	c->wnd_max = RTE_MAX(c->wnd_max, wnd);
	return true;
}

/** The next flush shall look at c. */
static inline void
weir_tcp_want_output(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	if (!c->is_out) {
		c->is_out = true;
		TAILQ_INSERT_TAIL(&t->out, c, out);
	}
}

static inline void
weir_tcp_ack_now(struct weir_tcp *t, struct weir_tcp_conn *c)
{
	c->ack_now = true;
	weir_tcp_want_output(t, c);
}

/** TCP_WINDOW_CLAMP: no window is larger. */
static inline uint32_t
weir_tcp_clamp(const struct weir_tcp_opts *opts, uint32_t wnd)
{
	return opts->window_clamp != 0 ? RTE_MIN(wnd, opts->window_clamp) : wnd;
}

/* tcp_fsm.c */

/** The only way to change a connection's state: asserts that the edge is legal, counts. */
void weir_tcp_set_state(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_state next);

/** Is this a synchronized state (RFC 9293 3.4)? */
static inline bool
weir_tcp_is_synchronized(const struct weir_tcp_conn *c)
{
	return c->state >= WEIR_TCP_SYN_RECEIVED;
}

/* tcp_park.c */

/** A connection of the pool, with undefined content. NULL: too many are at work. */
struct weir_tcp_conn *weir_tcp_conn_get(struct weir_tcp *t);
void weir_tcp_conn_put(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The one that sleeps as ref, awake. NULL: too many are at work. */
struct weir_tcp_conn *weir_tcp_wake(struct weir_tcp *t, uint32_t ref);

/** Drop those that sleep, without a word. */
void weir_tcp_park_fini(struct weir_tcp *t);

void weir_tcp_park_due(struct weir_tcp *t);

/** Once a turn: let those sleep that are idle. */
static inline void
weir_tcp_park_idle(struct weir_tcp *t)
{
	if (unlikely((int32_t)((uint32_t)(t->core->now_us >> 10) - t->awake_due) >= 0))
		weir_tcp_park_due(t);
}

/* tcp_pack.c */

#define WEIR_TCP_PACKED_MAX \
	(sizeof(((struct weir_tcp_parked *)NULL)->packed) + sizeof(struct weir_tcp_rest))

/** All that c, which is idle, is but for its flow. @return bytes used; 0: they are not enough */
size_t weir_tcp_pack(const struct weir_tcp *t, const struct weir_tcp_conn *c,
	uint8_t packed[WEIR_TCP_PACKED_MAX]);

/** And back; without place in lists, table, wheel. c->dst is to be found again. */
void weir_tcp_unpack(
	const struct weir_tcp *t, const struct weir_tcp_parked *p, struct weir_tcp_conn *c);

/* tcp_table.c */

int weir_tcp_table_init(struct weir_tcp *t, int numa_node);
void weir_tcp_table_fini(struct weir_tcp *t);

/** A connection in CLOSED, entered into the table, opts set; NULL when there is no room. */
struct weir_tcp_conn *weir_tcp_conn_new(
	struct weir_tcp *t, const struct weir_flow *flow, const struct weir_tcp_opts *opts);

/** Free c, which is CLOSED and out of the table. */
void weir_tcp_conn_free(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Undo weir_tcp_conn_new(). */
void weir_tcp_discard(struct weir_tcp *t, struct weir_tcp_conn *c);

/**
 * The connection is over: to CLOSED, queues freed, timers off, out of the table. Tells the owner;
 * without one c is freed: the caller must not touch c any more.
 */
void weir_tcp_finish(struct weir_tcp *t, struct weir_tcp_conn *c, int error);

/*
 * What the table holds: an index into conns, or into one of the others with its kind in the two
 * upper bits. All of them begin with their flow.
 */
#define WEIR_TCP_REF_REQ   (1u << 30)
#define WEIR_TCP_REF_WAIT  (2u << 30)
#define WEIR_TCP_REF_PARKED (3u << 30)
#define WEIR_TCP_REF_INDEX ((1u << 30) - 1)
#define WEIR_TCP_REF_NONE  UINT32_MAX

uint32_t weir_tcp_lookup(const struct weir_tcp *t, const struct weir_flow *flow, uint32_t hash);

/** The hash that the table has flow by. */
uint32_t weir_tcp_hash(const struct weir_tcp *t, const struct weir_flow *flow);

static inline bool
weir_tcp_ref_is_conn(uint32_t ref)
{
	return ref < WEIR_TCP_REF_REQ;
}

static inline bool
weir_tcp_ref_is_req(uint32_t ref)
{
	return (ref & ~WEIR_TCP_REF_INDEX) == WEIR_TCP_REF_REQ;
}

static inline bool
weir_tcp_ref_is_wait(uint32_t ref)
{
	return (ref & ~WEIR_TCP_REF_INDEX) == WEIR_TCP_REF_WAIT;
}

/** All of them that are not one of those: also WEIR_TCP_REF_NONE. */
static inline bool
weir_tcp_ref_is_parked(uint32_t ref)
{
	return ref >= WEIR_TCP_REF_PARKED && ref != WEIR_TCP_REF_NONE;
}

static inline struct weir_tcp_conn *
weir_tcp_conn_at(const struct weir_tcp *t, uint32_t ref)
{
	return weir_slab_at(&t->conns, ref);
}

static inline struct weir_tcp_parked *
weir_tcp_parked_at(const struct weir_tcp *t, uint32_t ref)
{
	return weir_slab_at(&t->parked, ref & WEIR_TCP_REF_INDEX);
}

static inline struct weir_tcp_req *
weir_tcp_req_at(const struct weir_tcp *t, uint32_t ref)
{
	return weir_slab_at(&t->reqs, ref & WEIR_TCP_REF_INDEX);
}

static inline struct weir_tcp_wait *
weir_tcp_wait_at(const struct weir_tcp *t, uint32_t ref)
{
	return weir_slab_at(&t->waits, ref & WEIR_TCP_REF_INDEX);
}

/** May connect use flow: nothing is there, or a TIME_WAIT that gives way? */
bool weir_tcp_is_flow_free(const struct weir_tcp *t, const struct weir_flow *flow);

/** Let the cache fetch what weir_tcp_lookup() will read: first the slot, a while later the record,
 *  and then what ACKs are about. */
void weir_tcp_prefetch_slot(const struct weir_tcp *t, uint32_t hash);
void weir_tcp_prefetch_record(const struct weir_tcp *t, uint32_t hash);
void weir_tcp_prefetch_act(const struct weir_tcp *t, uint32_t hash);

/** The best listener for a SYN of flow that came by the interface, or NULL. */
struct weir_tcp_listener *weir_tcp_find_listener(
	const struct weir_tcp *t, const struct weir_flow *flow, unsigned int ifindex);

/** RFC 6056 3.3.3: a free local port for flow (lport is set). @return 0 or -EADDRNOTAVAIL */
int weir_tcp_choose_port(struct weir_tcp *t, struct weir_flow *flow);

/* tcp_listen.c */

/**
 * RFC 9293 3.10.7.1, 3.10.7.2: a segment that belongs to no connection.
 * @param iss  of the answer to a SYN; 0: as usual
 */
void weir_tcp_listen_input(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t iss);

/** May one more connection become established for l? */
bool weir_tcp_may_accept(const struct weir_tcp *t, const struct weir_tcp_listener *l);

/** RFC 6528 3. */
uint32_t weir_tcp_isn(const struct weir_tcp *t, const struct weir_flow *flow);

/* Times of the stack, or the options' own. */

static inline uint32_t
weir_tcp_rto_max_us(const struct weir_tcp *t, const struct weir_tcp_opts *o)
{
	return likely(o->rto_max_ms == 0) ? t->conf.rto_max_us : o->rto_max_ms * 1000;
}

static inline uint32_t
weir_tcp_rto_min_us(const struct weir_tcp *t, const struct weir_tcp_opts *o)
{
	return likely(o->rto_min_ms == 0) ? t->conf.rto_min_us : o->rto_min_ms * 1000u;
}

/** How long an ACK may wait: less than the shortest time-out, as on Linux. 0: not at all. */
static inline uint32_t
weir_tcp_delack_us(const struct weir_tcp *t, const struct weir_tcp_opts *o)
{
	const uint32_t max = RTE_MAX(weir_tcp_rto_min_us(t, o), 2000u) - 1000;
	const uint32_t own = o->delack_max_ms * 1000u;

	return RTE_MIN(likely(own == 0) ? t->conf.delack_us : RTE_MIN(own, t->conf.delack_us), max);
}

/* tcp_req.c */

/** A SYN for l, which has room: answer it, with the cookie fo or NULL. @return false: pool empty */
bool weir_tcp_req_open(struct weir_tcp *t, struct weir_tcp_listener *l,
	const struct weir_tcp_rx *rx, uint32_t iss, const struct weir_tcp_fo *fo);

/** What a SYN for l says, in a record that need not be kept; iss is left to the caller. */
void weir_tcp_req_fill(const struct weir_tcp *t, struct weir_tcp_req *req,
	struct weir_tcp_listener *l, const struct weir_tcp_rx *rx);

void weir_tcp_req_send_syn_ack(
	struct weir_tcp *t, const struct weir_tcp_req *req, const struct weir_tcp_fo *fo);

/** The final ACK of a request that was not kept: a connection, which takes rx. */
void weir_tcp_req_revive(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx);

/** RFC 9293 3.10.7.4 for SYN_RECEIVED of a passive open. */
void weir_tcp_req_input(struct weir_tcp *t, struct weir_tcp_req *req, struct weir_tcp_rx *rx);

/** A credible ICMP error. */
void weir_tcp_req_error(
	struct weir_tcp *t, struct weir_tcp_req *req, const struct weir_icmp_error *e);

/** Forget req without a word. */
void weir_tcp_req_drop(struct weir_tcp *t, struct weir_tcp_req *req);

/** The end of the worker: listeners may be gone already. */
void weir_tcp_req_fini(struct weir_tcp *t);

/** The connection where req has led it to. @return NULL: no room for it, or no way to the peer */
struct weir_tcp_conn *weir_tcp_req_conn(struct weir_tcp *t, const struct weir_tcp_req *req);

/* tcp_fastopen.c */

enum weir_tcp_fo_act { WEIR_TCP_FO_NO, WEIR_TCP_FO_GIVE, WEIR_TCP_FO_OPEN };

/** What to do with a SYN for l: nothing, give the cookie *fo, or open. */
enum weir_tcp_fo_act weir_tcp_fastopen_check(struct weir_tcp *t, const struct weir_tcp_listener *l,
	const struct weir_tcp_rx *rx, struct weir_tcp_fo *fo);

/** Accept a connection by its SYN. @return false: no room; as without Fast Open then */
bool weir_tcp_fastopen_take(
	struct weir_tcp *t, struct weir_tcp_listener *l, struct weir_tcp_rx *rx, uint32_t iss);

/** The option of a SYN or SYN,ACK that has one. */
void weir_tcp_fastopen_read(const struct weir_tcp_rx *rx, struct weir_tcp_fo *fo);

/* tcp_fo_client.c */

/** h, of our first SYN, is to have the option. @return bytes of text that go with it */
uint32_t weir_tcp_fastopen_syn(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h);

/** The SYN,ACK, or the SYN of a peer that opens as well; c knows its options already. */
void weir_tcp_fastopen_answer(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);

/** A time-out of a connection with c->fo. */
void weir_tcp_fastopen_timed_out(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_given_up);

/** A connection with c->fo ends; what came out of order is still there. */
void weir_tcp_fastopen_over(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_crypto.c, tcp_keys.c */

/** What is signed: a segment from src to dst, in m from off on, len bytes; its header. */
struct weir_tcp_signed {
	const struct weir_addr *src;
	const struct weir_addr *dst;
	const struct weir_tcp_hdr *hdr;
	const struct rte_mbuf *m;
	uint32_t off;
	uint32_t len;
	const uint8_t *opts; /* TCP-AO: those that are signed */
	uint32_t opts_len;
};

/** There is a set of keys on this worker: make what signing needs. */
void weir_tcp_crypto_open(struct weir_tcp *t);
void weir_tcp_crypto_close(struct weir_tcp *t);

/** @return false: libcrypto failed; as the next two */
bool weir_tcp_md5_sum(struct weir_tcp *t, const struct weir_tcp_signed *s,
	const struct weir_tcp_key *key, uint8_t sum[WEIR_TCP_MD5_LEN]);
bool weir_tcp_mac(struct weir_tcp *t, enum weir_tcp_key_kind kind, const uint8_t *key,
	size_t key_len, const void *bytes, size_t n, uint8_t mac[WEIR_TCP_TRAFFIC_MAX]);
bool weir_tcp_ao_sum(struct weir_tcp *t, const struct weir_tcp_signed *s,
	const struct weir_tcp_key *key, const uint8_t *traffic, uint32_t sne,
	uint8_t mac[WEIR_TCP_TRAFFIC_MAX]);

/** c, which has keys, ends. */
void weir_tcp_keys_conn_free(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_ao.c */

/** What a traffic key is made of, as the sender sees it; dst_isn is 0 for a SYN. */
struct weir_tcp_ao_ends {
	const struct weir_addr *src;
	const struct weir_addr *dst;
	struct weir_be16 sport;
	struct weir_be16 dport;
	uint32_t src_isn;
	uint32_t dst_isn;
};

size_t weir_tcp_traffic_len(const struct weir_tcp_key *key);
bool weir_tcp_ao_derive(struct weir_tcp *t, const struct weir_tcp_key *key,
	const struct weir_tcp_ao_ends *x, uint8_t traffic[WEIR_TCP_TRAFFIC_MAX]);

/** Both ISNs of c are known: make its traffic keys, if that was not done. */
void weir_tcp_ao_settle(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The extension of seq, and the news that seq was reached. */
uint32_t weir_tcp_sne_of(const struct weir_tcp_sne *at, uint32_t seq);
void weir_tcp_sne_follow(struct weir_tcp_sne *at, uint32_t seq);

/** Write the MAC of s. */
bool weir_tcp_ao_sign(struct weir_tcp *t, struct weir_tcp_signed *s,
	const struct weir_tcp_signer *by, uint8_t *to);

/** KeyID and RNextKeyID of a segment that has the option. */
void weir_tcp_ao_ids(const struct weir_tcp_rx *rx, uint8_t *key_id, uint8_t *rnext_id);

/**
 * Is rx rightly signed? len is its option's, 0: it has none; by has the ISNs.
 * @return tcp_taken, or what drops it
 */
enum weir_fate weir_tcp_ao_check(struct weir_tcp *t, const struct weir_tcp_rx *rx,
	struct weir_tcp_keys *set, struct weir_tcp_signer *by, uint8_t len);

/* tcp_auth.c */

/** A segment for ref where somebody has keys, or one that is signed. */
enum weir_tcp_verdict weir_tcp_auth_input(struct weir_tcp *t, struct weir_tcp_rx *rx, uint32_t ref);

/**
 * h is signed if there is a key: of c, of req's listener, of who has p's flow.
 * @return false: it may not be sent
 */
bool weir_tcp_auth_fill_conn(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h);
bool weir_tcp_auth_fill_req(
	struct weir_tcp *t, const struct weir_tcp_req *req, struct weir_tcp_hdr_info *h);
bool weir_tcp_auth_fill(
	struct weir_tcp *t, const struct weir_pkt *p, struct weir_tcp_hdr_info *h);

/** Sign the segment in m, whose header is written but for its checksum. */
void weir_tcp_auth_sign(struct weir_tcp *t, struct rte_mbuf *m, const struct weir_ip_hdr_info *ip,
	const struct weir_tcp_hdr_info *h);

/** Bytes that the option takes on each segment of c, which has_auth. */
uint16_t weir_tcp_auth_len(const struct weir_tcp_conn *c);

/** How many of n SACK blocks fit beside it. */
unsigned int weir_tcp_auth_sack_blocks(const struct weir_tcp_conn *c, unsigned int n);

bool weir_tcp_auth_is_md5(const struct weir_tcp_conn *c);

/** w takes the place of c; it is over. */
void weir_tcp_auth_wait(struct weir_tcp *t, const struct weir_tcp_wait *w, struct weir_tcp_conn *c);
void weir_tcp_auth_wait_over(struct weir_tcp *t, const struct weir_tcp_wait *w);

/* tcp_cookie.c */

/** Answer a SYN and keep nothing of it. */
void weir_tcp_cookie_answer(
	struct weir_tcp *t, struct weir_tcp_listener *l, const struct weir_tcp_rx *rx);

/** Is it the answer to one of our cookies of the last minutes? *req is what was asked for then. */
bool weir_tcp_cookie_check(const struct weir_tcp *t, struct weir_tcp_listener *l,
	const struct weir_tcp_rx *rx, struct weir_tcp_req *req);

/** The clock, with what req has agreed to in its lowest bits. */
uint32_t weir_tcp_cookie_ts(const struct weir_tcp_req *req, uint32_t now_ms);

/* tcp_wait.c */

/** c is over but for TIME_WAIT: a small record takes its place. c may be gone on return. */
void weir_tcp_time_wait(struct weir_tcp *t, struct weir_tcp_conn *c);

/** RFC 9293 3.10.7.4 for TIME_WAIT. */
void weir_tcp_wait_input(struct weir_tcp *t, struct weir_tcp_wait *w, struct weir_tcp_rx *rx);

void weir_tcp_wait_drop(struct weir_tcp *t, struct weir_tcp_wait *w);

/** May connect open its flow again already (RFC 6191)? */
bool weir_tcp_wait_is_reusable(const struct weir_tcp *t, const struct weir_tcp_wait *w);

/* tcp_reply.c: segments outside of connections */

/**
 * The way back to the sender of a packet that came by the interface.
 * @param opts  of the listener that answers, which may be bound to it; or NULL
 * @return whether there is one
 */
bool weir_tcp_reply_route(struct weir_tcp *t, const struct weir_flow *flow, unsigned int ifindex,
	const struct weir_tcp_opts *opts, struct weir_dst *dst);

/**
 * Send a segment without text for flow; h but for the ports. Lost where there is no mbuf.
 * @param opts  whose TTL and TOS; NULL: the default
 */
void weir_tcp_reply(struct weir_tcp *t, const struct weir_flow *flow, const struct weir_dst *dst,
	const struct weir_tcp_opts *opts, struct weir_tcp_hdr_info *h);

/** RFC 9293 3.10.7.1: answer a segment that belongs to no connection. */
void weir_tcp_answer_rst(struct weir_tcp *t, const struct weir_tcp_rx *rx);

/* tcp_syn_sent.c */

/** Random for a pair of addresses, so that timestamps grow from one connection to the next. */
uint32_t weir_tcp_ts_offset(const struct weir_tcp *t, const struct weir_flow *flow);

/** The smallest shift that can announce half of the buffer, as large as it may grow (mbufs cost
 *  twice their payload). */
uint8_t weir_tcp_wscale_for(const struct weir_tcp *t, const struct weir_tcp_opts *opts);

/** RFC 9293 3.10.7.3. */
void weir_tcp_syn_sent_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/** Set up c for an open in either direction: route, sequence numbers. @return 0, -ENETUNREACH .. */
int weir_tcp_start(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t iss);

/** Take over what the peer's SYN says: irs, mss, options agreed. */
void weir_tcp_take_syn(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg);

/** From here on c may send text: its first window. */
void weir_tcp_begin_sending(struct weir_tcp *t, struct weir_tcp_conn *c);

/** c, of a listener, is to be accepted. */
void weir_tcp_tell_accept(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Our SYN is acknowledged by seg: to ESTABLISHED, tell the socket layer. */
void weir_tcp_establish(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg);

/* tcp_sync.c */

/** RFC 9293 3.10.7.4. */
void weir_tcp_sync_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/** Its sixth to eighth step, for what a SYN carried. */
void weir_tcp_sync_text(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/** An ACK that a peer can provoke at will: within the limits of RFC 5961 7. */
void weir_tcp_challenge(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The peer reset the connection. c may be gone on return. */
void weir_tcp_reset_by_peer(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_gro.c */

/** Join segments of v, all of them parsed, that follow one another: fewer are left. */
void weir_tcp_gro(struct weir_tcp *t, struct weir_vec *v);

/** The size of the segments that rx is made of. */
uint16_t weir_tcp_gro_size(const struct weir_tcp_rx *rx);

/* tcp_fast.c */

/** A segment that is the expected one. @return whether it was, and is done with */
bool weir_tcp_fast_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/* tcp_sent.c */

/** Forget all records of c. */
void weir_tcp_sent_free(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_sack.c */

/** start..end came ahead of its turn: announce it, first of all. */
void weir_tcp_sack_add(struct weir_tcp_conn *c, uint32_t start, uint32_t end);

/** rcv.nxt moved: blocks that it reached are over. */
void weir_tcp_sack_trim(struct weir_tcp_conn *c);

/** Nothing is held ahead of its turn any more. */
void weir_tcp_sack_clear(struct weir_tcp_conn *c);

/** start..end came twice (RFC 2883): the next ACK says so. */
void weir_tcp_dsack(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t start, uint32_t end);

/** How many blocks the next segment carries, and the first of them. */
static inline unsigned int
weir_tcp_sack_blocks(const struct weir_tcp_conn *c)
{
	const unsigned int n = c->act->n_sacks + c->act->has_dsack;

	if (likely(n == 0) || !c->has_sack)
		return 0;
	if (unlikely(c->has_auth))
		return weir_tcp_auth_sack_blocks(c, n);
	return RTE_MIN(n, c->has_ts ? 3u : WEIR_TCP_SACKS);
}

const struct weir_tcp_sack *weir_tcp_sack_first(const struct weir_tcp_conn *c);

/* tcp_ack.c */

/** RFC 9293 3.10.7.4, fifth, ESTABLISHED: what the ACK field says. */
enum weir_tcp_verdict weir_tcp_ack_input(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/** rx's ACK, una < ack <= max, acknowledges new data. */
void weir_tcp_ack_new(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);

/* tcp_rtt.c */

/** A round-trip time was measured: RFC 6298 2. */
void weir_tcp_rtt_sample(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us);

/** It may be the least one. */
void weir_tcp_min_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t rtt_us);

/** The congestion window at the start (RFC 6928), or after an idle time (RFC 5681 4.1). */
uint32_t weir_tcp_initial_cwnd(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/* tcp_scoreboard.c */

/** The path takes less than c->mss from now on: what was sent in larger segments is lost. */
void weir_tcp_lose_oversized(struct weir_tcp *t, struct weir_tcp_conn *c);

/** What is marked lost goes again: not for congestion, the window stays. */
void weir_tcp_repeat_unblamed(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_recovery.c */

/**
 * The path is congested although nothing was lost (ECN): reduce the window, once a round trip, as
 * for a loss but without sending anything again. Nothing happens while that goes on anyway.
 */
void weir_tcp_enter_cwr(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Is anything sent again that may be under way? */
bool weir_tcp_is_rexmit_open(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/* tcp_reass.c */

/** RFC 9293 3.10.7.4, seventh: rx's text, at or beyond rcv.nxt or not. Keeps m where it can. */
void weir_tcp_reass_input(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/** In-order text, seq == rcv.nxt, nothing out of order waits. */
void weir_tcp_take_in_order(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_rx *rx);

/** Data was taken: acknowledge now or soon (RFC 9293 3.8.6.3). */
void weir_tcp_ack_data(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Free the out-of-order queue. */
void weir_tcp_reass_free(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_buf.c */

/** c is established: measuring begins. */
void weir_tcp_buf_start(struct weir_tcp *t, struct weir_tcp_conn *c);

/** c->is_rcv_rtt_due, and a segment with timestamps came in order. */
void weir_tcp_rcv_rtt(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg);

/** The application has read: perhaps a round trip is over, and the receive buffer too small. */
void weir_tcp_rcvbuf_adjust(struct weir_tcp *t, struct weir_tcp_conn *c);

/** An ACK has made room in a send buffer that was well filled. */
void weir_tcp_sndbuf_expand(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_pace.c */

/** Is c paced at all? By configuration, option or algorithm. */
void weir_tcp_pace_choose(const struct weir_tcp *t, struct weir_tcp_conn *c);

/** The largest burst, whole segments: about a millisecond. */
uint32_t weir_tcp_pace_quantum(const struct weir_tcp_conn *c);

/** A paced connection wants to send. @return true: not now, it will be asked again in time */
bool weir_tcp_pace_waits(struct weir_tcp *t, struct weir_tcp_conn *c);

/** A paced connection has sent len bytes of text. */
void weir_tcp_pace_sent(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t len);

/* tcp_ecn.c: explicit congestion notification (RFC 3168) */

/** Flags to add to our SYN or SYN,ACK. */
uint8_t weir_tcp_ecn_syn_flags(struct weir_tcp *t, struct weir_tcp_conn *c);

/** A SYN for a listener whose algorithm is cc: what of its offer of ECN is accepted?
 *  @return WEIR_TCP_REQ_ECN_* */
uint8_t weir_tcp_ecn_accepts(
	const struct weir_tcp *t, const struct weir_tcp_cc_ops *cc, const struct weir_tcp_rx *rx);

/** Flags of the answer to the SYN of req. @return ECN field for it */
uint8_t weir_tcp_ecn_mark_syn_ack(const struct weir_tcp_req *req, const struct weir_tcp_cc_ops *cc,
	struct weir_tcp_hdr_info *h);

/** In SYN_SENT: a SYN or SYN,ACK. */
void weir_tcp_ecn_take_answer(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);

/** rx made a connection c of req, and is about to be processed. */
void weir_tcp_ecn_accepted(struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_req *req, const struct weir_tcp_rx *rx);

/** A segment of a connection that has_ecn is to go: sets its flags. @return ECN field for it */
uint8_t weir_tcp_ecn_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, bool has_text);

/** The window was reduced, for whatever reason: the next new data tells the peer. */
void weir_tcp_ecn_reduced(struct weir_tcp_conn *c);

/** Acceptable text for a connection that has_ecn, before it is taken. */
void weir_tcp_ecn_text(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);

/* tcp_accecn.c: accurate ECN (RFC 9768), for connections that has_ecn */

struct weir_tcp_news;

/** Is it the accurate kind? */
bool weir_tcp_is_accecn(const struct weir_tcp_conn *c);

/** AE, CWR, ECE of a segment, and into a header to build. */
uint8_t weir_tcp_ace(const struct weir_tcp_rx *rx);
void weir_tcp_ace_set(struct weir_tcp_hdr_info *h, uint8_t ace);

/** What tells the peer that its SYN or SYN,ACK arrived with this codepoint. */
uint8_t weir_tcp_accecn_reflect(uint8_t ect);

/** Our SYN asks for it. Does rx, a SYN, ask for it? */
void weir_tcp_accecn_ask(struct weir_tcp_conn *c);
bool weir_tcp_accecn_is_asked(const struct weir_tcp_rx *rx);

/**
 * It was asked for: rx is the SYN,ACK; or a SYN that crossed ours; or, on the other side, the
 * last ACK, which the peer answers our SYN,ACK by. sent is the ECN field that ours had.
 */
void weir_tcp_accecn_answer(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx, uint8_t sent);
void weir_tcp_accecn_cross(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);
void weir_tcp_accecn_accept(struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_rx *rx, uint8_t peer_ect, uint8_t sent);

/** The peer's SYN,ACK came again: so does our answer to it. */
void weir_tcp_accecn_repeat(struct weir_tcp_conn *c);

/** An acceptable segment of whatever kind, before its ACK is taken. */
void weir_tcp_accecn_received(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);

/** Bytes of text that a segment may lose to the option. */
uint32_t weir_tcp_accecn_len(const struct weir_tcp_conn *c);

/** The option into a segment's header, which has all others; into that of a SYN,ACK. */
void weir_tcp_accecn_fill(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h);
void weir_tcp_accecn_fill_syn_ack(const struct weir_tcp *t, struct weir_tcp_hdr_info *h);

/** As weir_tcp_ecn_mark(). */
uint8_t weir_tcp_accecn_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, bool has_text);

/** How many more packets of ours does rx say were marked? */
uint32_t weir_tcp_accecn_news(
	struct weir_tcp_conn *c, const struct weir_tcp_rx *rx, const struct weir_tcp_news *news);

/* tcp_output.c, tcp_segment.c, tcp_window.c, tcp_mss.c */

/** An ACK as things stand now, at once instead of with the flush. */
void weir_tcp_send_ack(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Send what may go. @return false: more could be sent when there is room or an mbuf again */
bool weir_tcp_output(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The same where all there is to do is to send one small piece. @return false: it is not */
bool weir_tcp_brief(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Room in the interface's queue, or in the worker's own way back for our own addresses. */
bool weir_tcp_has_room(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/**
 * Send text of len bytes at seq, in segments of mss.
 * @param flags  FIN and PSH of the last one
 * @return sequence numbers sent, perhaps less than asked for; 0: no mbuf
 */
uint32_t weir_tcp_send_text(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len,
	uint32_t mss, uint8_t flags);

/** A loss probe: one segment of new text, whatever cwnd says. @return false: no room or mbuf */
bool weir_tcp_send_probe_text(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Text of a full segment: c->mss less SACK blocks, and no more than half of a small window. */
uint32_t weir_tcp_effective_mss(const struct weir_tcp_conn *c);

/** RST for c as it stands, at once. Lost where there is no mbuf or route. */
void weir_tcp_send_rst(struct weir_tcp *t, struct weir_tcp_conn *c);

/** RST with this sequence number and no ACK: an unacceptable ACK in an unsynchronized state. */
void weir_tcp_send_rst_at(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq);

/** Build h's header in front of m's data, and send m. */
void weir_tcp_emit(struct weir_tcp *t, const struct weir_dst *dst, struct rte_mbuf *m,
	const struct weir_ip_hdr_info *ip, const struct weir_tcp_hdr_info *h, uint16_t tso_segsz);

/** An empty segment left of the window, which makes the peer answer. @return whether it went */
bool weir_tcp_send_probe(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Bytes to announce in a SYN, whose window is not scaled. */
uint32_t weir_tcp_syn_window(const struct weir_tcp_opts *opts);

/** Should the peer be told that the window has opened? */
bool weir_tcp_is_window_news(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/** Find c's way anew if routes changed. @return whether there is one */
bool weir_tcp_route(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Bytes of options on every segment. */
uint16_t weir_tcp_opts_len(const struct weir_tcp_conn *c);

/** Work out c->mss from path, peer, options. */
void weir_tcp_update_mss(struct weir_tcp_conn *c);

/** mss, or less where the port that dst leaves by has a limit. */
uint16_t weir_tcp_clamp_mss(const struct weir_dst *dst, uint16_t mss);

/** What we announce: what the interface takes. */
uint16_t weir_tcp_offered_mss(
	const struct weir_flow *flow, const struct weir_dst *dst, const struct weir_tcp_opts *opts);

static inline uint16_t
weir_tcp_local_mss(const struct weir_tcp_conn *c)
{
	return weir_tcp_offered_mss(&c->flow, &c->dst, &c->opts);
}

/* tcp_sndq.c */

/** Queue m, data from snd.end on. Takes m. */
void weir_tcp_sndq_add(struct weir_tcp_conn *c, struct rte_mbuf *m);

/** Free what lies before seq. */
void weir_tcp_sndq_release(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq);

/** Stamps of the packets whose last bytes are among the len bytes from seq on, just sent. */
void weir_tcp_sndq_stamp(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint32_t len);

/** Copy len queued bytes from seq on into m, as far as there is room. */
void weir_tcp_sndq_copy(struct weir_tcp_conn *c, struct rte_mbuf *m, uint32_t seq, uint32_t len);

void weir_tcp_sndq_free(struct weir_tcp_conn *c);

/**
 * Put queued bytes from seq on behind what m holds: copied when small, by reference otherwise.
 * @param len       bytes wanted, all of them queued
 * @param segs_max  longest chain wanted
 * @return          bytes put there, less than len where the chain is full; 0: pool dry
 */
uint32_t weir_tcp_sndq_put(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m,
	uint32_t seq, uint32_t len, unsigned int segs_max);

/** Of len bytes from seq on, those that belong to the record that seq is in (MSG_EOR). */
uint32_t weir_tcp_sndq_record(struct weir_tcp_conn *c, uint32_t seq, uint32_t len);

/* tcp_notes.c */

/** Leave m, which has its weir_dgram_note, for the socket layer. Takes m. */
void weir_tcp_note_add(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m);
void weir_tcp_notes_free(struct weir_tcp_conn *c);
void weir_tcp_syns_fini(struct weir_tcp *t);

/** Keep the headers of rx for req, whose listener asks for them; or not, when memory is low. */
void weir_tcp_keep_syn(
	struct weir_tcp *t, const struct weir_tcp_req *req, const struct weir_tcp_rx *rx);

/** What was kept for req, or NULL; t->syns is there. The caller's then. */
struct rte_mbuf *weir_tcp_take_kept_syn(struct weir_tcp *t, const struct weir_tcp_req *req);

/** The same for a connection that is open by its SYN alone. */
void weir_tcp_note_syn(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx);

/* A segment, and the byte in it that is to be stamped. */
struct weir_tcp_sent_text {
	uint32_t seq;
	uint32_t len;
	uint32_t last;
	uint8_t how; /* enum weir_pkt_send */
};

void weir_tcp_stamp_sent(struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_sent_text *x, enum weir_tcp_stamp kind);

/** m, of which the last byte has this sequence number, is out of the queue. Takes m. */
void weir_tcp_stamp_acked(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m, uint32_t last);

/* tcp_urgent.c */

/** RFC 9293 3.10.7.4, sixth: a segment with URG. */
void weir_tcp_urgent_input(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_seg *seg);

/** Point to the end of the urgent data, if h's segment lies before it. */
void weir_tcp_urgent_mark(struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h);

/* tcp_timer.c */

/** Run *deadline (a field of c) at at_us. */
void weir_tcp_timer_set(
	struct weir_tcp *t, struct weir_tcp_conn *c, uint64_t *deadline, uint64_t at_us);

/** Let the retransmission timer wait for what, us from now. */
void weir_tcp_alarm(
	struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_alarm what, uint64_t us);

/** (Re)start it after progress: for a loss probe or the time-out (RFC 6298 5.3). */
void weir_tcp_start_timer(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Run it for the time-out of what was sent first; off when nothing is under way. */
void weir_tcp_rearm_rto(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Until what was sent first times out; 0: it has. */
uint64_t weir_tcp_rto_left_us(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/** Arm c's entry for its deadlines. */
void weir_tcp_timer_resume(struct weir_tcp *t, struct weir_tcp_conn *c);

/** (Re)start the keepalive timer if it is wanted. */
void weir_tcp_timer_keep(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Our FIN is acknowledged: to FIN_WAIT_2, for a limited time if nobody listens any more. */
void weir_tcp_fin_wait_2(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_icmp.c */

/** Read ip->errors (RFC 5927). */
void weir_tcp_icmp_errors(struct weir_tcp *t);

#endif
