/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the files of loss recovery share: records of what was sent, and the news of one ACK.
 */
#ifndef TCP_LOSS_PRIV_H
#define TCP_LOSS_PRIV_H

#include "tcp_priv.h"

#define WEIR_TCP_REORDERING_MAX 300		   /* segments */
#define WEIR_TCP_MIN_RTT_US	(300ull * 1000000) /* how long a minimum is believed */
#define WEIR_TCP_PROBE_MIN_US	2000 /* on top of what timers of less than an RTO wait for */

enum {
	NEWS_DATA = 1 << 0,	/* the segment is more than an ACK */
	NEWS_WINDOW = 1 << 1,	/* it updates the window */
	NEWS_ADVANCED = 1 << 2, /* snd.una moved */
	NEWS_ACKED = 1 << 3,	/* and a whole segment with it */
	NEWS_REXMIT_ACKED = 1 << 4,
	NEWS_SACKED = 1 << 5, /* something is SACKed that was not */
	NEWS_ORIG = 1 << 6,   /* delivered: what was sent once, before the state was entered */
	NEWS_DSACK = 1 << 7,
	NEWS_DSACK_TLP = 1 << 8,   /* of the loss probe */
	NEWS_REXMIT_LOST = 1 << 9, /* a repetition was lost */
	NEWS_DUP = 1 << 10,	   /* a duplicate ACK */
	NEWS_SET_TIMER = 1 << 11,
	NEWS_ECE = 1 << 12, /* the peer saw marks */
};

/** One ACK while it is processed. Times in us, 0: none. */
struct weir_tcp_news {
	const struct weir_tcp_seg *seg;
	uint32_t flags;
	uint32_t prior_una;
	uint32_t prior_pipe;	  /* segments in flight */
	uint32_t prior_sacked;	  /* segments */
	uint32_t prior_fack;	  /* end of what was SACKed, or snd.una */
	uint32_t prior_delivered; /* act->delivered_segs */
	uint32_t prior_delivered_bytes;
	uint32_t prior_lost;	 /* act->lost */
	uint32_t acked_segs;	 /* by the cumulative ACK */
	uint32_t reord;		 /* lowest sequence number that came late */
	uint64_t first_acked_us; /* when the first and the last were sent, of those sent once */
	uint64_t last_acked_us;
	uint64_t first_sacked_us;
	uint64_t last_sacked_us;
	uint32_t rtt_us; /* of what was delivered last; 0: no sample */
	uint32_t ce_segs; /* accurate ECN: marked ones that the peer has news of */
	uint32_t ce_bytes; /* of what is delivered now; 0 where it does not say */
	/* delivery rate: of the segment sent last among those delivered */
	uint64_t rate_us; /* its delivered_us; 0: no sample */
	uint64_t rate_sent_us;
	uint32_t rate_end;
	uint32_t rate_interval_us; /* of sending */
	uint32_t rate_delivered;
	uint32_t rate_lost;
	uint32_t rate_flight;
	bool is_app_limited;
};

/* tcp_ecn.c */

/** rx, an acceptable ACK for a connection that has_ecn: reduce the window for marks. */
void weir_tcp_ecn_ack(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	struct weir_tcp_news *news);

/** Of the bytes that are delivered now, those reported as marked: weir_tcp_sample.ce. */
uint32_t weir_tcp_ecn_marked(
	const struct weir_tcp_conn *c, const struct weir_tcp_news *news, uint32_t delivered);

/* tcp_sent.c */

static inline struct weir_tcp_sent *
weir_tcp_sent_at(const struct weir_tcp *t, uint32_t ref)
{
	return ref != 0 ? (struct weir_tcp_sent *)t->sents.base + (ref - 1) : NULL;
}

static inline uint32_t
weir_tcp_sent_ref(const struct weir_tcp *t, const struct weir_tcp_sent *s)
{
	return (uint32_t)(s - (const struct weir_tcp_sent *)t->sents.base) + 1;
}

/** Can what is sent next be remembered? */
bool weir_tcp_sent_may_add(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/** What lies from snd.nxt to end was sent for the first time. weir_tcp_sent_may_add() said yes. */
void weir_tcp_sent_add(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t end, uint32_t mss,
	bool is_pushed);

/** s was sent again. */
void weir_tcp_sent_again(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s);

/** Cut s after len bytes. @return false: no record for the rest */
bool weir_tcp_sent_split(
	struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s, uint32_t len);

/** snd.una moved: forget what lies before it. */
void weir_tcp_sent_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news);

/** s was SACKed. */
void weir_tcp_sent_sacked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s);

/** s is lost, or its repetition is. */
void weir_tcp_sent_lost(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s);

/** s's repetition is not under way any more. */
void weir_tcp_sent_rexmit_over(struct weir_tcp_conn *c, struct weir_tcp_sent *s);

/** Nothing is lost after all. */
void weir_tcp_sent_unmark_lost(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The peer has thrown away what it SACKed (RFC 2018 8). */
void weir_tcp_sent_unmark_sacked(struct weir_tcp *t, struct weir_tcp_conn *c);

/** What is lost and to be sent again first, or NULL. */
struct weir_tcp_sent *weir_tcp_sent_next_lost(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_ack_all.c */

/** Is an ACK of all that is under way progress and nothing else? */
bool weir_tcp_may_ack_all(const struct weir_tcp *t, const struct weir_tcp_conn *c);

/** Then take it: snd.una is the end of the records already. */
void weir_tcp_ack_all(struct weir_tcp *t, struct weir_tcp_conn *c);

/* tcp_rate.c */

/** s goes out, as of act's counters. */
void weir_tcp_rate_sent(const struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_sent *s);

/** s was delivered, for the first time (SACKed or acknowledged). */
void weir_tcp_rate_delivered(
	struct weir_tcp_act *act, struct weir_tcp_sent *s, struct weir_tcp_news *news);

/** The ACK is processed: what congestion control is told. */
void weir_tcp_rate_sample(struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_news *news, struct weir_tcp_sample *sample);

/** All that was under way was delivered, last at the end: the rate, for congestion control. */
void weir_tcp_rate_flight(struct weir_tcp *t, struct weir_tcp_act *act,
	const struct weir_tcp_sent *last, struct weir_tcp_sample *sample);

/** Nothing more is there to be sent: until it has arrived, rates are the application's. */
void weir_tcp_rate_app_limited(struct weir_tcp_conn *c);

/* tcp_rtt.c */

/** RTT of what news tells. @return whether there was a sample */
bool weir_tcp_rtt_update(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news);

/** Does the segment echo a timestamp from before ts? */
static inline bool
weir_tcp_echoes_before(const struct weir_tcp_conn *c, const struct weir_tcp_seg *seg, uint32_t ts)
{
	return c->has_ts && (seg->opts & WEIR_TCP_OPT_TS) && seg->ts_ecr != 0 &&
	       weir_seq_lt(seg->ts_ecr, ts);
}

/* tcp_scoreboard.c */

/** Mark what the SACK blocks of rx say. snd.una is rx's ACK already. */
void weir_tcp_sack_input(struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_rx *rx,
	struct weir_tcp_news *news);

/** The segment at low came late, others beyond had arrived: that is the order of this path. */
void weir_tcp_saw_reordering(struct weir_tcp_conn *c, uint32_t low);

/** Where SACKed data ends; snd.una without any. */
static inline uint32_t
weir_tcp_fack(const struct weir_tcp_conn *c)
{
	return c->has_sack && c->act->sacked_segs > 0 ? c->act->fack : c->snd.una;
}

/* tcp_rack.c (RFC 8985) */

/** s was delivered. */
void weir_tcp_rack_delivered(const struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_sent *s, const struct weir_tcp_seg *seg);

/** Step 4: widen the reordering window when a DSACK shows that it was too narrow. */
void weir_tcp_rack_adapt(struct weir_tcp_act *act, const struct weir_tcp_news *news);

/** Step 5: mark what is lost. Starts the timer for what may be. @return whether it did */
bool weir_tcp_rack_mark(struct weir_tcp *t, struct weir_tcp_conn *c);

/** The timer fired. */
void weir_tcp_rack_expired(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Is s (still) to be waited for, longer than a round trip? @return us, 0 or less: it is lost */
int64_t weir_tcp_rack_left_us(const struct weir_tcp *t, const struct weir_tcp_conn *c,
	const struct weir_tcp_sent *s, uint32_t reo_wnd_us);

/* tcp_tlp.c (RFC 8985 7) */

/** Run the probe timer instead of the retransmission timer. @return whether it does */
bool weir_tcp_tlp_start(struct weir_tcp *t, struct weir_tcp_conn *c, bool is_rto_moved);

/** The probe timer fired. */
void weir_tcp_tlp_expired(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Send the probe that is due. @return false: no room */
bool weir_tcp_tlp_send(struct weir_tcp *t, struct weir_tcp_conn *c);

/** An ACK while a probe is under way. */
void weir_tcp_tlp_acked(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news);

/* tcp_recovery.c */

void weir_tcp_set_ca(struct weir_tcp *t, struct weir_tcp_conn *c, enum weir_tcp_ca ca);

/** What an ACK leads to that is not plain progress in Open. */
void weir_tcp_recover(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news);

/** To Recovery: something is lost. */
void weir_tcp_enter_recovery(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Open, or Disorder where something is SACKed or repetitions are under way. */
void weir_tcp_try_open(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Without SACK: segments were acknowledged. */
void weir_tcp_reno_acked(struct weir_tcp_conn *c, const struct weir_tcp_news *news);

/** Without SACK: a duplicate ACK tells that something was delivered. */
void weir_tcp_reno_duplicate(struct weir_tcp_conn *c);

/** Mark what is lost by now. */
void weir_tcp_mark_losses(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news);

/* tcp_prr.c (RFC 9937) */

/** ssthresh as the algorithm wants it, whole segments, at least two. */
uint32_t weir_tcp_ask_ssthresh(struct weir_tcp *t, struct weir_tcp_conn *c);

/** What ssthresh would be worth remembering now. */
uint32_t weir_tcp_current_ssthresh(const struct weir_tcp_conn *c);

void weir_tcp_reduction_start(struct weir_tcp *t, struct weir_tcp_conn *c);
void weir_tcp_reduction_end(struct weir_tcp *t, struct weir_tcp_conn *c);

/** cwnd after an ACK that delivered so many segments. */
void weir_tcp_reduce(struct weir_tcp_conn *c, uint32_t delivered, bool is_clean_advance);

static inline bool
weir_tcp_in_reduction(const struct weir_tcp_conn *c)
{
	return c->ca == WEIR_TCP_CA_CWR || c->ca == WEIR_TCP_CA_RECOVERY;
}

/* tcp_loss.c */

/** The retransmission timer fired: RFC 5681 3.1, RFC 5682. */
void weir_tcp_enter_loss(struct weir_tcp *t, struct weir_tcp_conn *c);

/** An ACK in Loss. */
void weir_tcp_loss_acked(struct weir_tcp *t, struct weir_tcp_conn *c, struct weir_tcp_news *news);

/* tcp_undo.c */

/** The window is about to be reduced: remember what undoing it needs. */
void weir_tcp_undo_mark(struct weir_tcp_conn *c);

/** @return whether the old state is to be held on to */
bool weir_tcp_undo_recovery(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news);

/** A partial ACK of something that was only late. @return whether nothing is to be marked lost */
bool weir_tcp_undo_partial(
	struct weir_tcp *t, struct weir_tcp_conn *c, const struct weir_tcp_news *news);

/** All repetitions were needless, by DSACK. */
bool weir_tcp_undo_dsack(struct weir_tcp *t, struct weir_tcp_conn *c);

bool weir_tcp_undo_loss(struct weir_tcp *t, struct weir_tcp_conn *c,
	const struct weir_tcp_news *news, bool is_frto);

/** No SACK, and ACKs of what was sent before could start another recovery: wait (RFC 6582 3.2). */
bool weir_tcp_must_wait_for_more(const struct weir_tcp_conn *c);

/* tcp_cwnd.c */

/** Data goes out again, nothing being under way. */
void weir_tcp_restart_after_idle(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Is the window in use, or is less than half of it still to be found by slow start? */
static inline bool
weir_tcp_is_cwnd_in_use(const struct weir_tcp_conn *c)
{
	return c->is_cwnd_limited ||
	       (c->cc.cwnd < c->cc.ssthresh &&
		       c->cc.cwnd < 2 * (uint64_t)c->act->max_out * c->mss);
}

/** What may go has gone, but what was deferred for cwnd: is the window in use? */
void weir_tcp_validate_cwnd(
	struct weir_tcp *t, struct weir_tcp_conn *c, bool is_sent, bool is_deferred);

/* tcp_rexmit.c */

/** Send s, or its first max_segs segments, again. */
enum weir_tcp_again { AGAIN_SENT, AGAIN_NO_WINDOW, AGAIN_NO_ROOM };
enum weir_tcp_again weir_tcp_send_again(struct weir_tcp *t, struct weir_tcp_conn *c,
	struct weir_tcp_sent *s, uint32_t max_segs, bool is_probe);

/** Send again what is lost, as far as the window allows. @return false: no room */
bool weir_tcp_send_lost(struct weir_tcp *t, struct weir_tcp_conn *c);

#endif
