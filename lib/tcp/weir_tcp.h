/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * TCP of one worker (RFC 9293 and companions): connections, listeners, segments in and out.
 * Model   Segments come in by weir_tcp_input(); what they change is left in the `ready` list for
 *         the socket layer. Calls and input only mark connections for output; weir_tcp_flush()
 *         sends for each of them once, so that data carries the ACK and a burst costs one ACK.
 * Owner   TCP owns connections from open or SYN to their end. While `end` is set, the socket
 *         layer holds one, too: after WEIR_READY_CLOSE it calls weir_tcp_release().
 *         weir_tcp_close() and weir_tcp_abort() give the connection up at once; TCP ends and frees
 *         it by itself.
 * Thread  The worker's lcore alone.
 */
#ifndef WEIR_TCP_H
#define WEIR_TCP_H

#include "weir_ip.h"
#include "weir_ready.h"
#include "weir_seq.h"
#include "weir_slab.h"
#include "weir_tcp_act.h"
#include "weir_tcp_cc.h"
#include "weir_tcp_fo.h"
#include "weir_tcp_hdr.h"
#include "weir_tcp_keys.h"
#include "weir_tcp_trace.h"

enum weir_tcp_state {
	WEIR_TCP_CLOSED,
	WEIR_TCP_LISTEN,
	WEIR_TCP_SYN_SENT,
	WEIR_TCP_SYN_RECEIVED,
	WEIR_TCP_ESTABLISHED,
	WEIR_TCP_FIN_WAIT_1,
	WEIR_TCP_FIN_WAIT_2,
	WEIR_TCP_CLOSE_WAIT,
	WEIR_TCP_CLOSING,
	WEIR_TCP_LAST_ACK,
	WEIR_TCP_TIME_WAIT,
	WEIR_TCP_STATES
};

/** "ESTABLISHED", ... */
const char *weir_tcp_state_name(enum weir_tcp_state state);

/** Options of a connection; a listener's are inherited. */
/* TCP_QUICKACK as set last. */
enum weir_tcp_quickack {
	WEIR_TCP_QUICK_UNSET,
	WEIR_TCP_QUICK_OFF,
	WEIR_TCP_QUICK_ON,
	WEIR_TCP_QUICK_ONCE /* what waits goes now, what follows waits */
};

/* TCP_SAVE_SYN: what is kept of a SYN until its connection is accepted and it is read. */
enum weir_tcp_save_syn {
	WEIR_TCP_SAVE_SYN_NO,
	WEIR_TCP_SAVE_SYN_IP,  /* headers of IP and TCP */
	WEIR_TCP_SAVE_SYN_MAC, /* and of the link before them */
};

/* What a time stamp is of: SCM_TSTAMP_* of Linux. */
enum weir_tcp_stamp { WEIR_TCP_STAMP_SENT, WEIR_TCP_STAMP_SCHED, WEIR_TCP_STAMP_ACK };

struct weir_tcp_opts {
	uint32_t sndbuf;          /* bytes of memory (mbuf truesize) to send may hold */
	uint32_t rcvbuf;          /* bytes of memory received data may hold */
	uint32_t user_timeout_ms; /* 0: by number of retransmissions (RFC 9293 3.8.3, R2) */
	uint32_t keep_idle_s;
	uint16_t keep_intvl_s;
	uint8_t keep_cnt;
	bool is_keepalive;
	bool is_nodelay;
	bool is_cork;
	uint8_t quickack; /* enum weir_tcp_quickack, times 4: how often it was set */
	bool is_sndbuf_fixed; /* chosen by SO_SNDBUF, SO_RCVBUF: does not grow */
	bool is_rcvbuf_fixed;
	uint8_t tos;
	uint8_t ttl; /* 0: default */
	uint8_t syn_retries; /* TCP_SYNCNT; 0: the stack's */
	uint8_t cc;  /* congestion control: number for weir_tcp_cc_at() */
	uint8_t defer_accept; /* time-outs of the SYN,ACK that a final ACK without data waits for */
	bool is_fo_connect;   /* TCP_FASTOPEN_CONNECT: connect waits for data to send */
	bool is_fo_no_cookie; /* TCP_FASTOPEN_NO_COOKIE */
	uint16_t maxseg; /* 0: by MTU */
	int16_t linger2_s;   /* in FIN_WAIT_2 after close; 0: the stack's; -1: not at all */
	uint16_t fastopen;    /* listener: half-open connections by Fast Open; 0: none */
	uint8_t ifindex_plus1; /* interface that the socket is bound to; 0: any */
	uint8_t save_syn;      /* listener: enum weir_tcp_save_syn */
	uint32_t window_clamp;  /* largest window to announce; 0: by the buffer */
	uint32_t notsent_lowat; /* bytes not yet sent from which on no more is taken; 0: any */
	uint64_t max_pacing_bps; /* bytes a second; 0: no limit */
	uint32_t rto_max_ms;	 /* TCP_RTO_MAX_MS; 0: the stack's, as in the two below */
	uint8_t rto_min_ms;	 /* TCP_RTO_MIN_US */
	uint8_t delack_max_ms;	 /* TCP_DELACK_MAX_US */
	uint8_t unused[2];
};

/** The interface that the socket is bound to; -1: any. */
static inline int
weir_tcp_opts_iface(const struct weir_tcp_opts *o)
{
	return (int)o->ifindex_plus1 - 1;
}

/** Explicit congestion notification, as Linux's tcp_ecn 0, 2, 1, 3, 4, 5. */
enum weir_tcp_ecn {
	WEIR_TCP_ECN_NO,
	WEIR_TCP_ECN_PASSIVE, /* where the peer asks for it */
	WEIR_TCP_ECN_YES,
	WEIR_TCP_ECN_ACCURATE,	       /* RFC 9768, both ways; or RFC 3168 where the peer does */
	WEIR_TCP_ECN_ACCURATE_ACCEPT,  /* where the peer asks for it; connect asks for RFC 3168 */
	WEIR_TCP_ECN_ACCURATE_PASSIVE, /* where the peer asks for it */
};

/** The option of accurate ECN, as Linux's tcp_ecn_option. */
enum weir_tcp_ecn_option {
	WEIR_TCP_ECN_OPTION_NO,
	WEIR_TCP_ECN_OPTION_NEEDED, /* where counters have changed, and now and then */
	WEIR_TCP_ECN_OPTION_ALWAYS
};

/* Bits of weir_tcp_conf.fastopen: the numbers of Linux's tcp_fastopen. */
#define WEIR_TCP_FASTOPEN_CLIENT	0x1
#define WEIR_TCP_FASTOPEN_SERVER	0x2
#define WEIR_TCP_FASTOPEN_CLIENT_NO_COOKIE 0x4 /* SYNs carry data without one */
#define WEIR_TCP_FASTOPEN_NO_COOKIE	0x200 /* listeners need no cookie */
#define WEIR_TCP_FASTOPEN_ALL_LISTENERS 0x400 /* also without the option, up to the backlog */

enum weir_tcp_cookies { WEIR_TCP_COOKIES_NO, WEIR_TCP_COOKIES_FULL, WEIR_TCP_COOKIES_ALWAYS };

/** RFC 4821: when a path's MTU is searched for by sending. */
enum weir_tcp_mtu {
	WEIR_TCP_MTU_NEVER,
	WEIR_TCP_MTU_BLACK_HOLE, /* once nothing gets through */
	WEIR_TCP_MTU_ALWAYS
};

/** What ends CUBIC's slow start before a loss does; see cc_hystart.h. */
enum weir_tcp_hystart { WEIR_TCP_HYSTART_PP, WEIR_TCP_HYSTART_LINUX, WEIR_TCP_HYSTART_NO };

/** Defaults and limits of a stack; from the [tcp] section. */
struct weir_tcp_conf {
	struct weir_tcp_opts opts;
	uint32_t sndbuf_max; /* buffers grow up to this; 0: not at all */
	uint32_t rcvbuf_max;
	uint32_t max_conns; /* per worker, without those in the two pools that follow */
	uint32_t max_active; /* of them, with data under way at a time; 0: all */
	uint32_t max_reqs;  /* SYN_RECEIVED: half-open connections of listeners */
	uint32_t max_waits; /* TIME_WAIT; the oldest make room */
	uint32_t max_traces; /* connections whose latest events are kept */
	uint32_t rto_min_us;     /* 200 ms */
	uint32_t rto_initial_us; /* 1 s (RFC 6298 2.1) */
	uint32_t rto_max_us;     /* 120 s */
	uint32_t delack_us;      /* 40 ms; 0: acknowledge at once */
	uint32_t time_wait_us;   /* 60 s */
	uint32_t fin_wait_2_us;  /* 60 s after close */
	uint32_t invalid_ratelimit_us; /* 500 ms between answers to what is not acceptable */
	uint32_t initial_window; /* segments; 10 (RFC 6928) */
	uint32_t hystart; /* enum weir_tcp_hystart; ++ */
	uint32_t mtu_probing; /* enum weir_tcp_mtu; never */
	uint32_t base_mss; /* text of a segment that every path takes; 1024 (RFC 4821 7.2) */
	uint8_t syn_retries;     /* 6 */
	uint8_t synack_retries;  /* 5 */
	uint8_t data_retries;    /* 15 */
	uint8_t wscale_max;      /* offer at most this shift; 14 */
	bool use_wscale;
	bool use_timestamps;
	bool use_sack;
	uint16_t port_min; /* ephemeral ports: 32768 */
	uint16_t port_max; /* 60999 */
	uint32_t ooo_max;  /* packets in one connection's out-of-order queue; 256 */
	enum weir_tcp_ecn ecn;
	enum weir_tcp_ecn_option ecn_option;
	uint32_t ecn_beacon; /* options a round trip, at least; 0: none */
	bool use_pacing; /* whatever the algorithm: cwnd spread over a round trip; false */
	uint8_t orphan_retries; /* data_retries of a connection that was closed; 8 */
	bool use_idle_restart;  /* RFC 5681 4.1 */
	uint32_t fastopen;        /* WEIR_TCP_FASTOPEN_* */
	struct weir_tcp_fo_cache *fo_cache; /* of the stack; NULL: one of this worker */
	uint64_t fastopen_pause_us; /* when SYNs with data vanish; 0: they go on */
	bool has_fastopen_key;
	uint8_t fastopen_key[16]; /* of cookies */
	uint32_t max_orphans;      /* closed connections that still send; beyond, close resets */
	uint32_t resets_per_s;     /* for segments without a connection; 0: no limit */
	uint32_t challenges_per_s; /* RFC 5961 7; 0: no limit */
	uint8_t syn_cookies; /* enum weir_tcp_cookies */
	bool use_tlp;     /* RFC 8985 7 */
	bool use_frto;    /* RFC 5682 */
	bool use_dsack;   /* say what came twice (RFC 2883) */
	uint16_t reordering;  /* segments taken for granted; 3 */
	bool use_rfc1337; /* RST does not end TIME_WAIT */
	bool use_tw_reuse; /* connect may take the place of a TIME_WAIT a second old (RFC 6191) */
	bool is_ts_strict; /* drop segments that lack negotiated timestamps (RFC 7323 3.2, a SHOULD
			    * that Linux does not follow); false */
};

/** The defaults named above. */
void weir_tcp_conf_default(struct weir_tcp_conf *conf);

struct weir_tcp_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_tcp_stats.h"
#undef WEIR_STAT
};

/* Send sequence space (RFC 9293 3.3.1). una <= nxt <= max; nxt is max but for a SYN that is to be
 * sent again. */
struct weir_tcp_snd {
	uint32_t una;
	uint32_t nxt;
	uint32_t wnd; /* scaled, bytes */
	uint32_t max; /* highest sequence number sent so far + 1 */
	uint32_t end; /* where the queued data (and then the FIN) ends */
	uint32_t wl1;
	uint8_t wscale;
	uint16_t peer_mss; /* what the peer takes */
};

/* Data to send, see sndq.c. */
struct weir_tcp_sndq {
	struct weir_pktq q;      /* packets from una on */
	struct rte_mbuf *cursor; /* packet of the queue to search nxt from; NULL: the first */
	uint32_t cursor_seq;     /* sequence number of its first byte */
	uint32_t charge;         /* truesize held by q */
	uint32_t n_notices;      /* packets with WEIR_SEND_NOTICE that are gone */
};

/* What the retransmission timer waits for. */
enum weir_tcp_alarm {
	WEIR_TCP_ALARM_RTO,
	WEIR_TCP_ALARM_PROBE,  /* RFC 8985 7 */
	WEIR_TCP_ALARM_REORDER /* RFC 8985 6.2, step 5 */
};

struct weir_tcp_rcv {
	uint32_t nxt;
	uint32_t adv;  /* right edge of the window as last announced; never moves left */
	uint32_t held; /* truesize given to the socket layer and not yet credited, plus ooo */
	uint8_t wscale;
	uint8_t quick_acks;  /* segments still to be acknowledged at once */
	uint16_t mss;        /* largest segment seen */
	struct weir_pktq rx; /* in-order data of this turn, for the socket layer */
};

struct weir_tcp_conn {
	/* lines 0 and 1: the lookup and every segment of an established connection */
	struct weir_flow flow;
	uint8_t state;   /* written by tcp_fsm.c alone */
	uint8_t ca;      /* enum weir_tcp_ca */
	uint8_t retries; /* time-outs in a row without progress */
	uint8_t alarm;   /* enum weir_tcp_alarm: what rexmit_at is for */
	uint16_t mss;    /* largest payload to send, options of every segment already taken off */
	bool is_out : 1;
	bool ack_now : 1;
	bool ack_delayed : 1;
	bool has_ts : 1;
	bool has_wscale : 1;
	bool has_sack : 1;
	bool is_timing : 1;   /* the SYN's round trip, from sent_us on */
	bool is_rexmit_due : 1; /* what is lost is to be sent again */
	bool is_forced : 1;     /* one segment may go, however small */
	bool is_persist : 1;
	bool is_cwnd_limited : 1;
	bool is_fin_queued : 1; /* the application has finished sending */
	bool is_fin_rcvd : 1;
	bool has_fin_seq : 1; /* a FIN came ahead of its turn, at fin_seq */
	bool is_rcv_shut : 1; /* shutdown(SHUT_RD) or orphan: data is not wanted */
	bool is_orphan : 1;   /* closed by the application */
	bool is_interactive : 1; /* answers carry the acknowledgments */
	bool has_ooo : 1; /* ooo is not empty */
	bool is_paced : 1;
	bool has_ecn : 1; /* agreed; in SYN_SENT: asked for */
	bool is_ecn_echo : 1; /* ECE on all we send; always set with accurate ECN */
	bool is_ecn_reducing : 1; /* the window is being reduced for a mark, not for a loss */
	bool is_ecn_cwr : 1;  /* CWR on the next new data; always set with accurate ECN */
	bool is_fastopen : 1;   /* accepted by its SYN; until SYN_RECEIVED is over */
	bool is_live : 1; /* in use, not on the free list */
	bool is_more : 1;    /* MSG_MORE: the last small segment waits for company */
	bool is_urgent : 1;  /* urgent data is on its way, up to snd_up */
	bool has_eor : 1;    /* sndq holds ends of records (MSG_EOR) */
	bool has_auth : 1;   /* segments are signed: act->keys has a key for the peer */
	bool is_lowat : 1;   /* opts.notsent_lowat is set */
	bool is_rcv_rtt_due : 1; /* the next full segment's echo tells the round trip */
	bool is_buf_grown : 1; /* opts.rcvbuf or sndbuf; the socket layer has not seen it yet */
	uint16_t rcv_wraps : 15; /* how often last_ack_sent passed 2^32 */
	uint16_t is_answer_due : 1; /* data came since we sent any */
	struct weir_tcp_snd snd;
	struct weir_tcp_rcv rcv;
	uint32_t ts_recent;
	uint32_t last_ack_sent;
	/* line 2: what a segment leads to */
	struct weir_ready_item ready;   /* kind WEIR_READY_TCP */
	TAILQ_ENTRY(weir_tcp_conn) out; /* on weir_tcp.out when is_out */
	uint64_t rexmit_at; /* retransmission, or zero-window probe when is_persist */
	uint64_t delack_at;
	uint64_t heard_us; /* last acceptable segment received */
	struct weir_tcp_end *end; /* NULL: nobody listens */
	/* line 3: sending */
	struct weir_tcp_sndq sndq;
	uint64_t sent_us;  /* when data was sent last */
	uint32_t wnd_max; /* largest window the peer ever offered */
	uint32_t empty_out; /* segments without text sent */
	/* line 4 */
	struct weir_tcp_cc cc;
	uint32_t srtt_us; /* RFC 6298; 0: no sample yet */
	uint32_t rttvar_us; /* mean deviation */
	uint32_t rto_us; /* backed off */
	uint32_t ts_offset; /* random, added to our timestamps */
	uint32_t confirm_ms; /* when the neighbour was last told that it is reachable */
	uint32_t space_due_ms; /* the receive buffer is to be looked at */
	struct weir_dst dst;
	uint16_t pmtu; /* as ICMP told; 0: not */
	uint8_t backoff;  /* of the window probes */
	uint8_t keep_probes;
	uint32_t rexmits; /* segments sent again */
	struct weir_pktq ooo; /* beyond rcv.nxt, sorted by sequence number, not overlapping */
	struct weir_tcp_listener *listener; /* until accepted */
	struct weir_tcp_opts opts;
	int16_t error;  /* why it ended: 0, ECONNRESET, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH ... */
	uint32_t trace; /* index + 1 in weir_tcp.traces, if it is still owner there */
	/* timers: one wheel entry at the earliest of the deadlines, 0: not running */
	struct weir_wheel_entry timer;
	uint64_t keep_at;
	uint64_t pace_at; /* a paced burst may go */
	uint64_t end_at;           /* FIN_WAIT_2 */
	uint64_t retrans_since_us; /* the peer has let data wait since then; 0: it does not */
	uint32_t iss;
	uint32_t irs;
	uint32_t challenge_ms; /* when what is not acceptable was answered last; 0: never */
	uint32_t fin_seq;
	uint32_t snd_up; /* the byte behind our urgent data; rcv_up: the peer's last urgent byte */
	uint32_t rcv_up;
	uint16_t fo;    /* enum weir_tcp_tfo */
	bool has_mark;  /* the peer sent urgent data; rcv_up is its last byte */
	bool is_active; /* we sent the first SYN */
	int16_t soft_error; /* latest ICMP error that ended nothing; 0 with the next progress */
	/* one; an array, so that it is used as a pointer is */
	struct weir_tcp_act act[1] __attribute__((aligned(RTE_CACHE_LINE_MIN_SIZE)));
};

#define WEIR_TCP_PARKED 240 /* bytes of a connection that sleeps */

static_assert(offsetof(struct weir_tcp_conn, ready) == 2 * RTE_CACHE_LINE_MIN_SIZE,
	"lines 0 and 1: the lookup and every segment");
static_assert(offsetof(struct weir_tcp_conn, sndq) == 3 * RTE_CACHE_LINE_MIN_SIZE, "line 2");

TAILQ_HEAD(weir_tcp_conns, weir_tcp_conn);

/*
 * Who a connection belongs to: a part of the socket layer's object. TCP keeps it right while the
 * connection sleeps and wakes; the owner empties it when it lets go of a connection.
 */
struct weir_tcp_end {
	struct weir_tcp_conn *conn; /* NULL: none, or it sleeps: see weir_tcp_conn_of() */
	uint32_t parked;            /* index + 1 in weir_tcp.parked; 0: it does not sleep */
};

/* A connection that sleeps (tcp_park.c). */
struct weir_tcp_parked {
	union {
		struct weir_flow flow; /* first. Whoever writes it writes nap after it: */
		struct {
			uint8_t flow_bytes[36];
			uint32_t nap; /* lies in the padding: index + 1 in weir_tcp.naps; 0: none */
		};
	};
	struct weir_tcp_end *end; /* NULL: not in use */
	uint32_t rest;            /* index + 1 in weir_tcp.rests; 0: it all fits here */
	uint8_t packed[WEIR_TCP_PARKED - 52];
};

static_assert(sizeof(struct weir_tcp_parked) == WEIR_TCP_PARKED, "no padding");

/* What does not fit there, of one that has seen much or goes by BBR. */
struct weir_tcp_rest {
	uint8_t packed[128];
};

/* Its timer, if it has one (keepalive). */
struct weir_tcp_nap {
	struct weir_wheel_entry timer;
	uint32_t parked; /* index in weir_tcp.parked */
};

/* The ECN of a connection that a peer asks for. */
#define WEIR_TCP_REQ_ECN_NO	  0
#define WEIR_TCP_REQ_ECN_CLASSIC  1
#define WEIR_TCP_REQ_ECN_ACCURATE 4 /* and the codepoint of its SYN */

/* A connection that a peer asked a listener for: SYN_RECEIVED until its final ACK (tcp_req.c). */
struct weir_tcp_req {
	struct weir_flow flow; /* first, as in all that the table refers to */
	uint32_t iss;
	uint32_t irs;
	uint32_t ts_recent;
	uint16_t mss; /* of the SYN's option; 0: it had none */
	uint16_t wnd; /* of the SYN */
	uint32_t answered_ms; /* when what is not acceptable was answered last; 0: never */
	uint32_t sent_us; /* the first SYN,ACK; low bits of the clock */
	uint8_t snd_wscale;
	uint8_t rcv_wscale;
	uint8_t retries; /* time-outs */
	uint8_t rexmits; /* SYN,ACKs sent again */
	uint8_t ifindex; /* where the SYN came in */
	bool has_ts : 1;
	bool has_wscale : 1;
	bool has_sack : 1;
	uint8_t ecn : 3; /* WEIR_TCP_REQ_ECN_* */
	bool is_cookie : 1; /* not in the table: a SYN cookie is all that is kept of it */
	bool is_acked : 1; /* the final ACK came, but could not be taken, or waits for data */
	uint8_t ao_key_id; /* the SYN's (RFC 5925) */
	uint8_t ao_rnext_id;
	struct weir_tcp_listener *listener;
	LIST_ENTRY(weir_tcp_req) link; /* the listener's */
	struct weir_wheel_entry timer;
};

static_assert(sizeof(struct weir_tcp_req) <= 128, "a flood of SYNs is cheap");

/*
 * What is left of a connection in TIME_WAIT, see tcp_wait.c. Times are ms of the worker's clock, in
 * circular arithmetic as sequence numbers.
 */
struct weir_tcp_wait {
	union {
		struct weir_flow flow; /* first. Whoever writes it writes snd_nxt after it: */
		struct {
			uint8_t flow_bytes[36];
			uint32_t snd_nxt; /* lies in the padding */
		};
	};
	uint32_t rcv_nxt;
	uint32_t ts_recent;
	uint32_t end_ms;
	uint32_t next; /* indices in weir_tcp.waits; by end_ms */
	uint32_t prev;
	uint16_t wnd; /* as announced last, scaled */
	uint16_t has_ts : 1;
	uint16_t answered_ms : 15; /* when a segment without text was answered last */
};

static_assert(sizeof(struct weir_tcp_wait) <= 64, "one cache line each");

/* Memory is the caller's; every worker has one of its own for a listening socket. */
struct weir_tcp_listener {
	LIST_ENTRY(weir_tcp_listener) link;
	struct weir_addr laddr; /* any: every address (:: also takes IPv4 unless v6only) */
	struct weir_be16 lport;
	bool is_v6;
	bool is_v6only;
	struct weir_tcp_opts opts;
	uint32_t backlog;
	const uint32_t *n_accept; /* connections in the accept queue, counted by the socket layer */
	void *owner;
	/* TCP's own */
	struct weir_tcp_keys *keys; /* weir_tcp_keys_listen(); NULL: no keys */
	LIST_HEAD(, weir_tcp_req) reqs; /* half-open connections of this listener on this worker */
	uint32_t n_syn;
	uint32_t n_ready;  /* became established in turn ready_turn: not yet in *n_accept */
	uint32_t ready_turn;
};

#define WEIR_TCP_LISTEN_BUCKETS 256
#define WEIR_TCP_NO_WAIT	UINT32_MAX

/* Who signs a segment. The ISNs make a traffic key where it is not in settled, which has both. */
struct weir_tcp_signer {
	struct weir_tcp_auth_opt opt; /* for the header */
	const struct weir_tcp_key *key;
	const struct weir_tcp_keys *settled;
	uint32_t iss;
	uint32_t irs;
};

struct weir_tcp {
	struct weir_core *core;
	struct weir_ip *ip;
	struct weir_ready *ready;
	struct weir_tcp_conf conf;
	struct weir_slab conns;
	uint32_t work_max; /* of conns, those that may have data of ours under way */
	struct weir_tcp_busy *busy; /* not to be put to sleep */
	struct weir_slab reqs;
	struct weir_slab waits;
	struct weir_slab parked; /* connections that sleep, which are not in conns */
	struct weir_slab rests;
	struct weir_slab naps;
	uint32_t awake_first; /* indices + 1 in conns: the queue of tcp_park.c */
	uint32_t awake_last;
	uint32_t awake_due; /* when the first is to be looked at; ticks of 1024 us */
	struct weir_slab sents; /* records of what is under way */
	struct weir_table table; /* flow -> conns, parked, reqs, waits */
	LIST_HEAD(, weir_tcp_listener) *listeners; /* WEIR_TCP_LISTEN_BUCKETS, by port */
	struct weir_tcp_conns out;        /* to be looked at by weir_tcp_flush() */
	uint32_t wait_first; /* index in waits, first to end; WEIR_TCP_NO_WAIT */
	uint32_t wait_last;
	struct weir_wheel_entry wait_timer;
	uint64_t held;     /* rcv.held of all connections */
	uint64_t held_max; /* half of the worker's pool: the rest is for sending and the ports */
	uint32_t sndbuf_max; /* as configured, but never more than an eighth of the pool */
	uint32_t rcvbuf_max;
	uint32_t n_orphans;
	uint32_t n_fastopen; /* accepted in SYN_RECEIVED */
	struct weir_tcp_fo fo_syn; /* of the SYN being built */
	bool has_own_fo_cache;
	uint32_t n_auth; /* sets of keys that connections, listeners and TIME_WAIT hold */
	struct evp_md_ctx_st *md5_ctx; /* NULL until there is a key, as the next: SHA-1, AES */
	struct evp_mac_ctx_st *mac_ctx[2];
	struct weir_tcp_signer signer; /* of the segment being built */
	struct rte_mbuf **syns; /* syns[reqs.capacity] of reqs; NULL until some are to be kept */
	struct weir_tcp_keys **wait_keys; /* wait_keys[waits.capacity]; NULL until needed */
	struct weir_tcp_limit {
		uint64_t second;
		uint32_t n; /* events in it */
	} resets, challenges, trace_logs;
	uint64_t cookies_until_us; /* ACKs of SYN cookies are expected */
	uint32_t port_offset; /* RFC 6056 3.3.3 */
	uint32_t turn;        /* bursts so far */
	struct weir_tcp_traces traces;
	uint64_t n_state[WEIR_TCP_STATES]; /* in each state, in whatever form */
	struct weir_tcp_stats stats;
};

/** c is e's from now on, or nobody's. */
static inline void
weir_tcp_own(struct weir_tcp_conn *c, struct weir_tcp_end *e)
{
	c->end = e;
	if (e != NULL)
		*e = (struct weir_tcp_end){.conn = c};
}

/** Has e a connection, asleep or not? */
static inline bool
weir_tcp_has_conn(const struct weir_tcp_end *e)
{
	return e->conn != NULL || e->parked != 0;
}

/** e's connection, or NULL without one. One that slept is awake then. */
struct weir_tcp_conn *weir_tcp_conn_of(struct weir_tcp *t, const struct weir_tcp_end *e);

/** May weir_tcp_conn_of() fail for a connection that is there? Too many others are at work. */
static inline bool
weir_tcp_sleeps(const struct weir_tcp_end *e)
{
	return e->parked != 0;
}

/**
 * Who works on a connection while an application may make any call: with this one on the stack it
 * is not put to sleep, for others to have its room, and so stays where it is.
 */
struct weir_tcp_busy {
	const struct weir_tcp_conn *c;
	struct weir_tcp_busy *below;
};

static inline void
weir_tcp_busy_begin(struct weir_tcp *t, struct weir_tcp_busy *b, const struct weir_tcp_conn *c)
{
	*b = (struct weir_tcp_busy){c, t->busy};
	t->busy = b;
}

static inline void
weir_tcp_busy_end(struct weir_tcp *t, const struct weir_tcp_busy *b)
{
	WEIR_ASSERT(t->busy == b);
	t->busy = b->below;
}

/** The slow part of weir_tcp_may_work(). */
bool weir_tcp_begin_work(struct weir_tcp *t, const struct weir_tcp_end *e);

/** May e's connection, awake then, have data under way? false: too many others have. */
static inline bool
weir_tcp_may_work(struct weir_tcp *t, const struct weir_tcp_end *e)
{
	return likely(e->parked == 0 && t->conns.used <= t->work_max) || weir_tcp_begin_work(t, e);
}

/** What a connection that sleeps would be, without waking it: its numbers, no links or queues. */
void weir_tcp_parked_read(
	const struct weir_tcp *t, const struct weir_tcp_parked *p, struct weir_tcp_conn *c);

/* Connections by number, for those who look at all of them; a number changes with sleep. */
#define WEIR_TCP_ID_PARKED (1u << 31) /* from here on those that sleep */
#define WEIR_TCP_ID_END	   UINT32_MAX

/** The first number from id on that may be in use, or WEIR_TCP_ID_END. */
uint32_t weir_tcp_id_from(const struct weir_tcp *t, uint32_t id);

/**
 * The connection of a number that weir_tcp_id_from() gave, or NULL.
 * @param room  for one that sleeps
 */
const struct weir_tcp_conn *weir_tcp_by_id(
	const struct weir_tcp *t, uint32_t id, struct weir_tcp_conn *room);

/** The same one's latest events, the oldest first. @return how many */
unsigned int weir_tcp_events_by_id(const struct weir_tcp *t, uint32_t id,
	const struct weir_tcp_conn *c, struct weir_tcp_event events[WEIR_TCP_TRACE_LEN]);

/** Connections, asleep or not. */
static inline uint32_t
weir_tcp_n_conns(const struct weir_tcp *t)
{
	return t->conns.used + t->parked.used;
}

/** The rate c sends at, bytes a second; 0: as fast as it goes. c is awake. */
uint64_t weir_tcp_pace_bps(const struct weir_tcp_conn *c);

int weir_tcp_init(struct weir_tcp *t, struct weir_core *core, struct weir_ip *ip,
	struct weir_ready *ready, const struct weir_tcp_conf *conf, int numa_node);

/** Drop all connections without a word; free everything. */
void weir_tcp_fini(struct weir_tcp *t);

/**
 * Active open. Chooses a local address and port where they are any/0, such that the return traffic
 * reaches this worker (ip->steer).
 * @param flow  raddr and rport set; laddr any and lport 0 to choose
 * @param end   whose it is, or NULL
 * @return 0 and *conn (state SYN_SENT, SYN on its way), or -ENETUNREACH, -EADDRNOTAVAIL (no port
 *         left), -EADDRINUSE (the four are in use), -ENOBUFS (connection pool)
 */
int weir_tcp_connect(struct weir_tcp *t, const struct weir_flow *flow,
	const struct weir_tcp_opts *opts, struct weir_tcp_end *end, struct weir_tcp_conn **conn);

/** Take SYNs for l. The conflict check is the socket layer's. */
void weir_tcp_listen(struct weir_tcp *t, struct weir_tcp_listener *l);

/** Make room for SYNs, before a listener with opts.save_syn listens. @return 0 or -ENOMEM */
int weir_tcp_syns_init(struct weir_tcp *t);

/**
 * The next packet that tells something (WEIR_READY_NOTE, and with WEIR_READY_ACCEPT): its
 * weir_dgram_note says what. Of a stamp `data` is the sequence number of the byte it is of. The
 * caller's then. NULL: none.
 */
struct rte_mbuf *weir_tcp_note_pop(struct weir_tcp_conn *c);

/** Stop; connections not yet accepted are reset. */
void weir_tcp_unlisten(struct weir_tcp *t, struct weir_tcp_listener *l);

/**
 * Queue data: a packet chain, data from its first byte on; more than one mbuf allowed.
 * TCP takes m and refers to it until it is acknowledged. The bytes must not change any more.
 * Small m may be packed into the tail of the queue. While it is queued, TCP uses the link and u[]
 * of m's weir_pkt: the same mbuf (not data) can't stand in another queue.
 * In SYN_SENT data waits until the connection is open.
 * @return 0; -EPIPE after a shutdown, close or end: m stays the caller's
 */
int weir_tcp_send(struct weir_tcp *t, struct weir_tcp_conn *c, struct rte_mbuf *m);

/** Send memory that is free (opts.sndbuf - what is queued), bytes; may be negative. */
static inline int64_t
weir_tcp_send_room(const struct weir_tcp_conn *c)
{
	return (int64_t)c->opts.sndbuf - c->sndq.charge;
}

/** The application has taken truesize bytes of what it was given: the window may open. */
void weir_tcp_credit(struct weir_tcp *t, struct weir_tcp_conn *c, uint32_t truesize);

/**
 * Send FIN after what is queued (SHUT_WR). Idempotent. In SYN_SENT the attempt ends
 * (WEIR_READY_CLOSE with ECONNRESET).
 */
void weir_tcp_shutdown(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Apply changed c->opts (nodelay, cork, keepalive, cc ..): marks for output as needed. */
void weir_tcp_opts_changed(struct weir_tcp *t, struct weir_tcp_conn *c);

/** TCP_QUICKACK was set, perhaps to what it was: c->opts.quickack takes effect, once. */
void weir_tcp_quickack_set(struct weir_tcp *t, struct weir_tcp_conn *c);

static inline bool
weir_tcp_is_ack_lazy(const struct weir_tcp_opts *o)
{
	const enum weir_tcp_quickack how = o->quickack & 3;

	return how == WEIR_TCP_QUICK_OFF || how == WEIR_TCP_QUICK_ONCE;
}

/**
 * The application is done (close): send what is queued and a FIN; later data from the peer is
 * answered by RST (RFC 9293 3.6.1). The owner is forgotten and hears nothing more.
 */
void weir_tcp_close(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Reset (linger 0, unread data at close). The connection is gone on return. */
void weir_tcp_abort(struct weir_tcp *t, struct weir_tcp_conn *c);

/** After WEIR_READY_CLOSE: the owner lets go. (TIME_WAIT needs neither owner nor connection.) */
void weir_tcp_release(struct weir_tcp *t, struct weir_tcp_conn *c);

/** Segments of this burst; data starts at the IP header, weir_pkt set. Empties v. Also reads
 *  ip->errors of TCP (RFC 5927). */
void weir_tcp_input(struct weir_tcp *t, struct weir_vec *v);

/** Send for all connections marked: data, ACKs, FINs. Called once a turn, after the application. */
void weir_tcp_flush(struct weir_tcp *t);

/** WEIR_TIMER_TCP fired. */
void weir_tcp_timer(struct weir_tcp *t, struct weir_tcp_conn *c);

/** WEIR_TIMER_TCP_NAP fired. */
void weir_tcp_nap_timer(struct weir_tcp *t, struct weir_tcp_nap *nap);

/** WEIR_TIMER_TCP_REQ fired. */
void weir_tcp_req_timer(struct weir_tcp *t, struct weir_tcp_req *req);

/** WEIR_TIMER_TCP_WAIT fired. */
void weir_tcp_wait_timer(struct weir_tcp *t);

/** The earliest deadline of c's timers, or WEIR_WHEEL_NEVER. */
uint64_t weir_tcp_next_us(const struct weir_tcp_conn *c);

/** The largest segment that c told its peer it takes. */
uint16_t weir_tcp_advertised_mss(const struct weir_tcp_conn *c);

/** The connection of exactly this flow, or NULL: also when it sleeps, is half open or in
 *  TIME_WAIT. */
struct weir_tcp_conn *weir_tcp_find(const struct weir_tcp *t, const struct weir_flow *flow);

/** The half-open one, or NULL. */
struct weir_tcp_req *weir_tcp_find_req(const struct weir_tcp *t, const struct weir_flow *flow);

/** The one in TIME_WAIT, or NULL. */
struct weir_tcp_wait *weir_tcp_find_wait(const struct weir_tcp *t, const struct weir_flow *flow);

#endif
