/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files that send have in common.
 */
#ifndef TCP_OUTPUT_PRIV_H
#define TCP_OUTPUT_PRIV_H

#include "tcp_loss_priv.h"

/* tcp_burst.c */

/** The most segments that go as one: two at least, about a millisecond's worth (as Linux). */
uint32_t weir_tcp_burst_segs(const struct weir_tcp_conn *c, uint32_t mss);

/** One look at what may be sent. */
struct weir_tcp_pass {
	uint32_t mss;
	uint32_t segs_max;    /* of a burst */
	bool is_cwnd_limited; /* data waits for a larger burst that cwnd allows */
	bool is_rwnd_limited; /* it is the peer's window that data waits for */
};

/**
 * Bytes to send next from snd.nxt, 0: none. Whole segments as long as windows and data allow; less
 * than one when that is all there is, or all that the peer's window takes, and may go.
 */
uint32_t weir_tcp_next_len(
	const struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_pass *pass);

/** It was held back for long enough: one segment, however small. */
uint32_t weir_tcp_forced_len(const struct weir_tcp_conn *c, uint32_t mss);

/** May the FIN go with len bytes of text? It needs a place in the peer's window, not in cwnd. */
bool weir_tcp_may_send_fin(const struct weir_tcp_conn *c, uint32_t len);

/** Does the port cut bursts into segments of mss? */
bool weir_tcp_is_cut_by_port(const struct weir_tcp_conn *c, uint32_t mss);

/* tcp_output.c */

/** Text goes to a partner in conversation: the next answer will carry the ACK, unless it takes too
 *  long. */
void weir_tcp_note_answer(const struct weir_tcp *t, struct weir_tcp_conn *c);

/** What has gone, and what has not, shows what the connection is limited by. */
void weir_tcp_note_limits(struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_pass *pass, bool is_sent);

/* tcp_limit.c */

/** From now on it is this that keeps data from being delivered. */
void weir_tcp_limit_change(const struct weir_tcp *t, struct weir_tcp_act *act, uint8_t limit);

/** A flight begins: the one before was over when all of it was delivered, which nobody noted. */
void weir_tcp_limit_restart(const struct weir_tcp *t, struct weir_tcp_act *act);

static inline void
weir_tcp_set_limit(const struct weir_tcp *t, struct weir_tcp_act *act, uint8_t limit)
{
	if (act->limit != limit)
		weir_tcp_limit_change(t, act, limit);
}

/* tcp_window.c */

/** The window field of a segment to go; the announced edge moves. */
uint16_t weir_tcp_announce_window(const struct weir_tcp *t, struct weir_tcp_conn *c, bool is_syn);

/* tcp_segment.c */

/** An mbuf with room for the header of a segment with these flags; h but for seq, ack, window. */
struct rte_mbuf *weir_tcp_new_segment(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h, uint8_t flags);

/** Send m, a segment with header h and perhaps text. It carries the ACK that is due. */
void weir_tcp_send_segment(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m,
	struct weir_tcp_hdr_info *h, uint16_t tso_segsz);

/** Every segment with ACK carries all that is due to the peer: into h. */
void weir_tcp_carry_ack(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_hdr_info *h);

/** A segment without text. @return whether it went */
bool weir_tcp_send_empty(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t seq, uint8_t flags);

/** Its sequence number, which a peer whose window shrank takes, too. */
uint32_t weir_tcp_empty_seq(const struct weir_tcp_conn *c);

/** The pool is dry: what waits out of order here can be sent again, and may be what is missing. */
void weir_tcp_note_no_mbuf(struct weir_tcp *t, struct weir_tcp_conn *c);

#endif
