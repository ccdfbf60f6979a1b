/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Sockets: what application threads and workers share, and the worker's side of it.
 * Model   A weir_sock lives in DPDK memory. It has a home worker, which alone touches its
 *         connection and transport state. Data goes through two lockless queues of mbufs in the
 *         socket itself: rxq (workers push, one application thread at a time pops) and txq
 *         (application threads push, the home worker pops). Requests go by the door: bits set in
 *         the socket, and the socket in its home worker's door queue at most once, so that queue
 *         can never be full. Results come back as flags, an error and the waiters' wake-up.
 * Owner   References: one of the descriptor, one of each worker that holds a connection or binding
 *         of it, one of an accept queue, one of each call under way. The last one gone frees it.
 *         One control call (bind, listen, connect, ...) at a time holds a socket, by `ctl`. A close
 *         that comes meanwhile is done by that call at its end, so that nothing is left behind.
 * Thread  Fields say who writes them; "option" ones are read and written by themselves (weir_peek,
 *         weir_poke). Everything of struct weir_sock_worker: its worker alone, but for `doors` and
 *         `leaving`.
 */
#ifndef WEIR_SOCK_H
#define WEIR_SOCK_H

#include "weir_event.h"
#include "weir_lock.h"
#include "weir_mcast.h"
#include "weir_raw.h"
#include "weir_shared.h"
#include "weir_stash.h"
#include "weir_tcp.h"
#include "weir_udp.h"
#include "weir_watch.h"

struct weir_queue;
struct weir_sock_worker;
struct weir_waiters;

enum weir_sock_kind {
	WEIR_SOCK_TCP,
	WEIR_SOCK_UDP,
	WEIR_SOCK_RAW,
	WEIR_SOCK_OTHER = 15, /* no socket, but something else with a descriptor: see `ops` */
};

/** What a socket is and may do; read by application threads, bits set and cleared atomically. */
enum weir_sock_flag {
	WEIR_SOCK_CONNECTING = 1 << 0,
	WEIR_SOCK_CONNECTED = 1 << 1,
	WEIR_SOCK_LISTENING = 1 << 2,
	WEIR_SOCK_RX_EOF = 1 << 3,  /* rxq is complete: FIN taken, or connection over */
	WEIR_SOCK_RX_SHUT = 1 << 4, /* shutdown(SHUT_RD) */
	WEIR_SOCK_TX_SHUT = 1 << 5, /* shutdown(SHUT_WR) */
	WEIR_SOCK_OVER = 1 << 6,    /* the connection is gone */
	WEIR_SOCK_BOUND = 1 << 7, /* has its port; UDP, raw: stands in every worker's table */
	WEIR_SOCK_FD_CLOSED = 1 << 8, /* its descriptor was closed */
	WEIR_SOCK_CALLBACKS = 1 << 9, /* data goes to callbacks, not to rxq */
	WEIR_SOCK_RX_FIN = 1 << 10,   /* the peer's FIN was taken: the end comes before any error */
	WEIR_SOCK_CONNECT_DUE = 1 << 11, /* no call has fetched yet how a connect ended */
	WEIR_SOCK_DEFERRED = 1 << 20, /* connected in name: its SYN waits for the first data */
	WEIR_SOCK_STARVED = 1 << 12, /* a send found the pool low; the worker will tell */
	WEIR_SOCK_SOFT_ERROR = 1 << 13, /* TCP has an ICMP error to tell that ended nothing */
};

/** Switches of a socket (options that are on or off and matter to the socket layer alone). */
enum weir_sock_switch {
	WEIR_SW_REUSEADDR = 1 << 0,
	WEIR_SW_REUSEPORT = 1 << 1,
	WEIR_SW_V6ONLY = 1 << 2,
	WEIR_SW_BROADCAST = 1 << 3,
	WEIR_SW_OOBINLINE = 1 << 4,
	WEIR_SW_TIMESTAMP = 1 << 5,   /* control messages with received data, here and below */
	WEIR_SW_TIMESTAMPNS = 1 << 6,
	WEIR_SW_INQ = 1 << 7,
	WEIR_SW_PKTINFO = 1 << 8,
	WEIR_SW_PKTINFO6 = 1 << 9,
	WEIR_SW_RECVTTL = 1 << 10,
	WEIR_SW_RECVTOS = 1 << 11,
	WEIR_SW_RECVHOPLIMIT = 1 << 12,
	WEIR_SW_RECVTCLASS = 1 << 13,
	WEIR_SW_ZEROCOPY = 1 << 16,   /* MSG_ZEROCOPY is answered by notices */
	WEIR_SW_FREEBIND = 1 << 18,
};

/** Requests from application threads to the home worker. */
enum weir_door {
	WEIR_DOOR_SEND = 1 << 0,   /* txq holds something */
	WEIR_DOOR_CREDIT = 1 << 1, /* rx_taken has grown: the window may open */
	WEIR_DOOR_SHUT_WR = 1 << 2,
	WEIR_DOOR_SHUT_RD = 1 << 3,
	WEIR_DOOR_OPTS = 1 << 4, /* opts changed */
	WEIR_DOOR_CLOSE = 1 << 5,
	WEIR_DOOR_ABORT = 1 << 6, /* close by reset */
	WEIR_DOOR_STARVED = 1 << 7, /* WEIR_SOCK_STARVED was set: tell it when mbufs are back */
	WEIR_DOOR_WRITE = 1 << 8,   /* a send found no room: if there is some by now, tell it */
};

/** Who is at a socket's control: weir_sock.ctl. */
enum weir_ctl {
	WEIR_CTL_HELD = 1 << 0,
	WEIR_CTL_CLOSE = 1 << 1, /* closed; the holder, if there is one, does what that takes */
};

/** What every UDP and raw socket has, and a stream that needs it (weir_sock_want_extra()). */
struct weir_sock_extra {
	struct weir_mpsc errq;	     /* error queue: any pushes, under recv_lock: pop */
	struct weir_pktq err_open;   /* those that were popped; under recv_lock */
	uint32_t n_notes;	     /* ever put into errq; atomic */
	uint32_t n_notes_read;	     /* under recv_lock: w */
	uint32_t stamps;	     /* option: SO_TIMESTAMPING, SOF_TIMESTAMPING_* */
	uint32_t stamps_from;	     /* where SOF_TIMESTAMPING_OPT_ID counts from: in a stream a
				      * sequence number, written by the home worker */
	struct rte_mbuf *syn;	     /* TCP_SAVED_SYN; atomic, taken by exchange */
	struct rte_mbuf *memory;     /* of a stream: the mbuf that this lies in */
};

/** What only UDP and raw sockets have; made with them. Options: each read and written by itself. */
struct weir_sock_dgram {
	struct weir_sock_extra extra; /* first */
	struct weir_raw_opts raw;
	struct weir_dgram_opts opts;
	struct rte_mbuf *path_note;  /* what IPV6_RECVPATHMTU tells next; atomic, by exchange */
	uint8_t send_ifindex_plus1;  /* option: interface to send by; 0: the route's */
	bool is_mc_strict[2];        /* options, IPv4 and IPv6: IP_MULTICAST_ALL is off */
	struct weir_mc_sending {     /* options, IPv4 and IPv6: how groups are sent to */
		uint8_t ifindex_plus1;
		uint8_t ttl;
		bool no_loop;
	} mc_send[2];
	uint32_t mc_lock;       /* control path: guards mc */
	struct weir_mc_set *mc; /* groups that it is in, or NULL */
};

struct weir_sock {
	/* read by all, written before the socket is shared or rarely */
	uint32_t refs;  /* atomic */
	uint32_t flags; /* enum weir_sock_flag; atomic */
	struct weir_socks *socks;
	union {
		struct weir_tcp_end tcp; /* the home worker's */
		struct {                 /* WEIR_SOCK_OTHER; not changed */
			const struct weir_fd_ops *ops;
			void *object;
		};
	};
	union { /* made by the holder of ctl; each worker its own element */
		struct weir_pcb *pcbs;
		struct weir_tcp_listener *listeners;
	};
	union {
		struct weir_sock_dgram *dgram; /* UDP and raw */
		struct weir_sock_extra *extra; /* set once, atomic; NULL: a stream without */
	};
	struct weir_bind *bind;        /* holder of ctl */
	struct weir_tcp_keys *keys; /* holder of ctl: keys of connections to come */
	uint32_t ctl;           /* enum weir_ctl; atomic */
	int fd;                 /* -1 without */
	int error;              /* SO_ERROR; atomic, taken by exchange */
	uint16_t home;          /* weir_sock_home(); changed by the worker that was it */
	uint8_t kind;           /* enum weir_sock_kind */
	uint8_t domain;         /* AF_INET or AF_INET6 */
	bool is_nonblock;       /* option */
	bool is_linger;         /* option: SO_LINGER with linger_s */
	bool is_connect_told; /* worker: WEIR_EV_CONNECT has been delivered */
	bool is_starving; /* home worker: on the starving list */
	bool is_held; /* home worker: data stays with TCP (weir_set_receiving) */
	bool is_stalled; /* home worker: likewise; applications hold too many mbufs */
	bool is_write_wanted; /* a send could not take everything, or a poll saw that; atomic */
	uint8_t pmtudisc;     /* option: IP_PMTUDISC_*, IPV6_PMTUDISC_* */
	uint16_t linger_s; /* option */
	uint16_t held_events; /* home worker: enum weir_ready_event behind data that is held */
	uint32_t rcvtimeo_ms; /* option; 0: for ever */
	uint32_t sndtimeo_ms; /* option */
	uint32_t backlog;     /* option: of listen */
	uint32_t switches;    /* options: enum weir_sock_switch; atomic */
	uint32_t rcvlowat;    /* option: bytes that make a stream readable; at least 1 */
	int32_t peek_off;     /* option: where the next MSG_PEEK begins; -1: at the front */
	uint32_t priority;    /* option, without effect */
	uint32_t generation; /* of fd */
	uint32_t flow_version;
	struct weir_flow flow; /* local and remote address as bound, connected, accepted; read by
				* weir_sock_flow(), written by weir_sock_set_flow() */
	struct weir_tcp_opts opts; /* options, each */
	struct weir_callbacks cb;  /* but for arg (an option) not changed once events may come */
	struct weir_qnode accept_node; /* in the listening socket's accept queue; or, never both, in
					* the queue of a worker that is to leave it */
	struct weir_mpsc acceptq; /* listening: workers push, application under recv_lock pops */

	/* with mbufs that the application has got as such; see lend.c */
	int32_t n_lent;	     /* atomic; while positive they have a reference of the socket */
	uint32_t life;	     /* connections begun: which one an mbuf is of; home worker: w */
	uint64_t lent_bytes; /* atomic; may be negative for a moment */
	STAILQ_ENTRY(weir_sock) stalled;

	/* written by workers */
	/* worker: push; application under recv_lock: pop */
	struct weir_mpsc rxq __attribute__((aligned(64)));
	uint64_t rx_given;    /* truesize ever put into rxq; atomic */
	uint64_t data_us;     /* home worker: when data came last; 0: never */
	uint64_t urgent;      /* the urgent byte, see weir_urgent_at(); atomic */
	uint32_t rx_bytes;    /* of the stream, ever put into rxq; home worker: w */
	uint32_t notsent;     /* home worker: bytes TCP has not sent yet; with notsent_lowat */
	uint32_t notices_base; /* home worker: n_notices before this connection */
	uint32_t n_notices;   /* home worker: MSG_ZEROCOPY sends that are over */
	uint64_t tx_freed;    /* tx_taken less what TCP holds, whoever sent it; by home worker */
	uint64_t rx_credited; /* home worker: rx_taken as last told to TCP */
	uint64_t tx_taken;    /* home worker: truesize ever taken from txq */
	struct weir_watched watched; /* who is told of changes */
	struct weir_queue *queue; /* of an asynchronous socket; set once, by the holder of ctl */
	STAILQ_ENTRY(weir_sock) dying; /* home worker: n_dying references go at the turn's end */
	STAILQ_ENTRY(weir_sock) starving; /* home worker: it has to be told when mbufs are back */
	uint32_t n_accept;    /* connections in the accept queue; atomic */
	uint16_t n_dying;
	uint16_t n_to_leave; /* workers that have still to leave it; the one whose turn it is */

	/* with a queue; see weir_queue.h */
	struct weir_qnode queue_node;
	uint32_t msgs;	     /* what may be posted and what waits; atomic */
	int connect_error;   /* to be told with CONNECT and CLOSE */
	int close_error;

	/* written by application threads */
	uint32_t rx_read;   /* of the stream, ever read; under recv_lock: w */
	uint32_t n_zerocopy; /* sends with MSG_ZEROCOPY; atomic */
	uint32_t n_noticed;  /* of them, told by MSG_ERRQUEUE; under recv_lock: w */
	struct weir_pktq rx_open; /* packets out of rxq, being read; weir_pkt u[0] is their truesize
				   * when they came; under recv_lock */

	struct weir_mpsc txq __attribute__((aligned(64))); /* application: push; home worker: pop */
	struct weir_qnode door_node;
	uint32_t door;      /* enum weir_door; atomic */
	uint32_t recv_lock; /* one reader at a time; never taken by a worker for another's socket */
	uint64_t tx_queued; /* truesize put into txq, or about to be (weir_sock_reserve); atomic */
	uint64_t rx_taken;  /* truesize ever taken out of rxq; atomic */
	uint64_t rx_told;   /* rx_taken when the door was last rung for it; under recv_lock */
};

static_assert(sizeof(struct weir_sock) <= 576, "many of them are idle");

/** One thread that can wait for sockets. Several threads share a class (id modulo 64). */
struct weir_waiter {
	uint32_t is_sleeping; /* atomic: thread sets, whoever wakes it clears */
	uint32_t is_used;     /* atomic */
	int efd;              /* eventfd the thread sleeps on */
	unsigned int id;
};

#define WEIR_WAITERS_MAX 1024
#define WEIR_WAIT_CLASSES 64

struct weir_waiters {
	unsigned int n; /* slots ever used; atomic */
	struct weir_waiter slot[WEIR_WAITERS_MAX];
};

/** One address and port taken by a socket (bind.c), per stack; guarded by its bind_lock. */
struct weir_bind {
	LIST_ENTRY(weir_bind) link;
	struct weir_sock *sock;
	struct weir_addr laddr;
	uint16_t port;
};

/** The sockets of one stack: pool, descriptors, taken ports, waiters. */
struct weir_socks {
	struct weir_stack *stack;
	struct weir_stash stash; /* struct weir_sock */
	uint32_t capacity;
	struct weir_sock **fds;  /* fds[capacity]; atomic */
	struct rte_ring *free_fds; /* uint32_t descriptors */
	uint16_t n_workers;
	struct weir_sock_worker **workers; /* workers[n_workers] */
	uint32_t bind_lock; /* control path: guards binds */
	LIST_HEAD(, weir_bind) *binds[2]; /* by kind, then by port (65536) */
	uint16_t next_port[2];
	uint32_t next_home; /* round robin of new sockets; atomic */
	uint32_t used;      /* sockets in existence; atomic */
	uint32_t nest_lock; /* control path: epoll sets in epoll sets */
	uint64_t send_no_mbuf; /* sends refused because a pool ran low; atomic */
	struct weir_tcp_opts tcp_opts;
	uint32_t udp_rcvbuf;
	uint32_t udp_sndbuf;
	uint16_t port_min, port_max;
	uint32_t lent_max; /* packets that applications may hold */
	int32_t n_lent;	   /* packets that they hold; atomic */
	struct weir_waiters waiters;
	uint32_t generation; /* of descriptors, the last given; atomic */
	uint32_t queues_lock; /* control path: guards queues */
	LIST_HEAD(, weir_queue) queues;
};

struct weir_sock_stats {
#define WEIR_STAT WEIR_STAT_FIELD
#include "weir_sock_stats.h"
#undef WEIR_STAT
};

/** The socket layer of one worker. */
struct weir_sock_worker {
	struct weir_core *core;
	struct weir_ip *ip;
	struct weir_udp *udp;
	struct weir_raw *raw;
	struct weir_tcp *tcp;
	struct weir_ready *ready;
	struct weir_socks *socks;
	uint16_t index;
	STAILQ_HEAD(, weir_sock) dying;
	STAILQ_HEAD(, weir_sock) starving; /* each with a reference */
	STAILQ_HEAD(, weir_sock) stalled;  /* likewise; see lend.c */
	const struct rte_mbuf *handing;	   /* what a callback of this worker has got just now */
	struct weir_sock_stats stats;
	/* other threads */
	struct weir_mpsc doors __attribute__((aligned(64)));
	struct weir_mpsc leaving; /* sockets whose listener or binding is to go from this worker */
	uint32_t is_sleeping; /* atomic: the worker sleeps on efd; whoever rings clears it */
	int efd;
};

/* sock.c: objects and references (any thread) */

struct weir_socks_conf {
	struct weir_stack *stack;
	const char *name; /* unique in the process */
	uint32_t sockets;
	uint16_t n_workers;
	int numa_node;
	struct weir_tcp_opts tcp_opts;
	uint32_t udp_rcvbuf;
	uint32_t udp_sndbuf;
	uint16_t port_min, port_max;
	uint32_t lent_max;
};

int weir_socks_init(struct weir_socks *ss, const struct weir_socks_conf *conf);
void weir_socks_fini(struct weir_socks *ss);

/** A new socket with one reference, no descriptor. NULL: pool exhausted. */
struct weir_sock *weir_sock_new(struct weir_socks *ss, int kind, int domain);

/** UDP or raw? */
static inline bool
weir_sock_is_dgram(const struct weir_sock *s)
{
	return s->kind == WEIR_SOCK_UDP || s->kind == WEIR_SOCK_RAW;
}

static inline void
weir_sock_ref(struct weir_sock *s)
{
	__atomic_fetch_add(&s->refs, 1, __ATOMIC_RELAXED);
}

/** Drop a reference; the last one frees the socket and what its queues hold. */
void weir_sock_unref(struct weir_sock *s);

/** The worker that has its connection, or sends its datagrams. */
static inline uint16_t
weir_sock_home(const struct weir_sock *s)
{
	return weir_peek(s->home);
}

/** Its addresses, all of one moment. */
static inline void
weir_sock_flow(const struct weir_sock *s, struct weir_flow *flow)
{
	weir_shared_get(&s->flow_version, flow, &s->flow, sizeof(*flow));
}

/** Change its addresses: the holder of ctl, or a worker on its behalf. */
static inline void
weir_sock_set_flow(struct weir_sock *s, const struct weir_flow *flow)
{
	weir_shared_set(&s->flow_version, &s->flow, flow, sizeof(*flow));
}

static inline void
weir_sock_opts(const struct weir_sock *s, struct weir_tcp_opts *opts)
{
	weir_shared_copy(opts, &s->opts, sizeof(*opts));
}

static inline uint32_t
weir_sock_flags(const struct weir_sock *s)
{
	return __atomic_load_n(&s->flags, __ATOMIC_ACQUIRE);
}

static inline void
weir_sock_set(struct weir_sock *s, uint32_t flags)
{
	__atomic_fetch_or(&s->flags, flags, __ATOMIC_RELEASE);
}

static inline void
weir_sock_clear(struct weir_sock *s, uint32_t flags)
{
	__atomic_fetch_and(&s->flags, ~flags, __ATOMIC_RELEASE);
}

static inline bool
weir_sock_has(const struct weir_sock *s, uint32_t switches)
{
	return (weir_peek(s->switches) & switches) != 0;
}

static inline void
weir_sock_switch(struct weir_sock *s, uint32_t switches, bool on)
{
	if (on)
		__atomic_fetch_or(&s->switches, switches, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&s->switches, ~switches, __ATOMIC_RELAXED);
}

/* The urgent byte of a stream (weir_sock.urgent): where it stands in it. 0: there is none. */
#define WEIR_URGENT_SET	 (UINT64_C(1) << 32)
#define WEIR_URGENT_READ (UINT64_C(1) << 33) /* read by MSG_OOB */

static inline uint32_t
weir_urgent_at(uint64_t urgent)
{
	return (uint32_t)urgent;
}

/** Bytes of the stream that wait to be read. */
static inline uint32_t
weir_sock_unread(const struct weir_sock *s)
{
	return __atomic_load_n(&s->rx_bytes, __ATOMIC_ACQUIRE) - weir_peek(s->rx_read);
}

/** The same without an urgent byte in front, which is not read in line. */
static inline uint32_t
weir_sock_readable(const struct weir_sock *s)
{
	const uint64_t urgent = weir_peek(s->urgent);
	const uint32_t unread = weir_sock_unread(s);

	if (urgent == 0 || unread == 0 || weir_sock_has(s, WEIR_SW_OOBINLINE))
		return unread;
	return unread - (weir_urgent_at(urgent) == weir_peek(s->rx_read));
}

/** The packet after m of those opened, or one more from rxq; m NULL: the first. Under recv_lock. */
struct rte_mbuf *weir_sock_rx_next(struct weir_sock *s, struct rte_mbuf *m);

/** Bytes of the first datagram that waits, 0 without one. Any thread. */
uint32_t weir_sock_first_len(struct weir_sock *s);

/** NULL: a stream that has none. */
static inline struct weir_sock_extra *
weir_sock_extra(const struct weir_sock *s)
{
	return __atomic_load_n(&s->extra, __ATOMIC_ACQUIRE);
}

/** SO_TIMESTAMPING of s: SOF_TIMESTAMPING_*. */
static inline uint32_t
weir_sock_stamps(const struct weir_sock *s)
{
	const struct weir_sock_extra *x = weir_sock_extra(s);

	return likely(x == NULL) ? 0 : weir_peek(x->stamps);
}

/** Does the error queue hold a notice? */
static inline bool
weir_sock_has_notice(const struct weir_sock *s)
{
	const struct weir_sock_extra *x = weir_sock_extra(s);

	return __atomic_load_n(&s->n_notices, __ATOMIC_ACQUIRE) != weir_peek(s->n_noticed) ||
	       (x != NULL && __atomic_load_n(&x->n_notes, __ATOMIC_ACQUIRE) !=
				     weir_peek(x->n_notes_read));
}

/** Is the urgent byte there to be read by MSG_OOB? */
static inline bool
weir_sock_has_urgent(const struct weir_sock *s, uint64_t urgent)
{
	const uint32_t rx_bytes = __atomic_load_n(&s->rx_bytes, __ATOMIC_ACQUIRE);

	return urgent != 0 && !(urgent & WEIR_URGENT_READ) &&
	       (int32_t)(rx_bytes - weir_urgent_at(urgent)) > 0;
}

/** Drop what was received and not read. Any thread. */
void weir_sock_purge(struct weir_sock *s);

/** Reset the connections that nobody has accepted. Under recv_lock, or by the last one. */
void weir_sock_abort_unaccepted(struct weir_sock *s);

/** Readiness as poll(2) says it: POLLIN, POLLOUT, POLLHUP, POLLERR, POLLRDHUP. */
short weir_sock_poll(const struct weir_sock *s);

/** Is there as much of a stream to read as SO_RCVLOWAT asks for? */
bool weir_sock_is_readable(const struct weir_sock *s);

/** The same by who will be told of what is missing: of room, too (weir_sock_tcp_room()). */
short weir_sock_poll_to_wait(struct weir_sock *s);

/** Send memory that is free, bytes of truesize; may be negative. */
static inline int64_t
weir_sock_tx_room(const struct weir_sock *s)
{
	const uint64_t freed = __atomic_load_n(&s->tx_freed, __ATOMIC_ACQUIRE);

	return (int64_t)weir_peek(s->opts.sndbuf) -
	       (int64_t)(__atomic_load_n(&s->tx_queued, __ATOMIC_RELAXED) - freed);
}

/**
 * Claim send memory, before bytes are put into txq. From here on a shutdown or close waits for them
 * to come (weir_sock_has_reserved()), so that no byte of a send that succeeds is lost.
 * @return false: shut down or closed already; nothing claimed
 */
bool weir_sock_reserve(struct weir_sock *s, uint64_t truesize);

/** Is something reserved that has not come yet? (home worker, txq emptied) */
bool weir_sock_has_reserved(struct weir_sock *s);

/** Is there data to read (or a datagram, even an empty one)? */
bool weir_sock_has_data(const struct weir_sock *s);

/** Does data that was not sent yet keep a stream from taking more (TCP_NOTSENT_LOWAT)? */
bool weir_sock_is_notsent_full(const struct weir_sock *s, unsigned int shift);

/** May application data take n mbufs of a pool? The last eighth is for headers and ACKs. */
bool weir_sock_may_take(const struct rte_mempool *pool, size_t n);

/** Enough send memory free that a writer should be told (a third of it, as Linux does). */
bool weir_sock_has_room(const struct weir_sock *s);

/** Wake a worker that sleeps; what it is to find must be in place. */
void weir_sock_wake_worker(struct weir_sock_worker *ws);

/** Ask the home worker to do what bits say; wakes it if it sleeps. Any thread. */
void weir_sock_ring(struct weir_sock *s, uint32_t bits);

/* addr.c: socket addresses */

/**
 * An address as an AF_INET or AF_INET6 socket shows it.
 * @param ifindex  interface whose link a link-local one is of; -1: not known
 * @param out  room for the larger kind; an AF_INET socket writes a sockaddr_in there
 * @return     bytes used
 */
socklen_t weir_sock_addr_out(int domain, const struct weir_addr *addr, struct weir_be16 port,
	int ifindex, struct sockaddr_in6 *out);

/** @return 0; -EFAULT, -EINVAL (too short), -EAFNOSUPPORT (not for this domain) */
int weir_sock_addr_in(int domain, const struct sockaddr *sa, socklen_t len, struct weir_addr *addr,
	struct weir_be16 *port);

/** The interface that a checked address names by its scope, or -1 (link-local, and groups). */
int weir_sock_scope_in(
	int domain, const struct sockaddr *sa, socklen_t len, const struct weir_addr *addr);

/** The interface that s sends and receives by (SO_BINDTODEVICE, a scope), or -1. */
static inline int
weir_sock_iface(const struct weir_sock *s)
{
	return (int)weir_peek(s->opts.ifindex_plus1) - 1;
}

/* fd.c: descriptors (any thread) */

/** Give s a descriptor and that descriptor a reference. @return it, or -EMFILE */
int weir_fd_open(struct weir_socks *ss, struct weir_sock *s);

/** The socket of fd with a new reference, or NULL. */
struct weir_sock *weir_fd_get(struct weir_socks *ss, int fd);

/**
 * The socket of fd without a reference, on worker index: valid until the end of its turn.
 * @return NULL: none, or a stream without a connection on this worker, an unbound or raw socket
 */
struct weir_sock *weir_fd_peek(struct weir_socks *ss, int fd, uint16_t index);

/** The same for whatever fd is. */
struct weir_sock *weir_fd_any(struct weir_socks *ss, int fd);

/** Why there is no socket of fd: -EBADF, -ENOTSOCK. */
int weir_fd_error(struct weir_socks *ss, int fd);

/**
 * Close fd if it still names s, of which the caller has a reference. The descriptor's reference is
 * the caller's then, too. @return false: another thread was quicker
 */
bool weir_fd_close(struct weir_socks *ss, int fd, struct weir_sock *s);

/* bind.c: ports taken (control path, any thread) */

/** Take laddr and *port for s; port 0: choose one. @return 0, -EADDRINUSE, -ENOBUFS */
int weir_bind_add(struct weir_socks *ss, struct weir_sock *s, const struct weir_addr *laddr,
	struct weir_be16 *port);
void weir_bind_del(struct weir_socks *ss, struct weir_sock *s);

/** s, bound to every address, has become one that uses laddr alone (connect). */
void weir_bind_narrow(struct weir_socks *ss, struct weir_sock *s, const struct weir_addr *laddr);

/**
 * Make s, which is bound, a listener (WEIR_SOCK_LISTENING): of several that share its port by
 * SO_REUSEADDR only one may listen. @return 0, -EADDRINUSE
 */
int weir_bind_listen(struct weir_socks *ss, struct weir_sock *s);

/* wait.c */

/** The calling thread's waiter slot; NULL when all are in use or no eventfd could be made. */
struct weir_waiter *weir_waiter_open(struct weir_waiters *ws);
void weir_waiter_close(struct weir_waiter *w);

/** The calling thread is about to sleep: who changes something from here on will wake it. */
void weir_waiter_enter(struct weir_waiter *w);
void weir_waiter_leave(struct weir_waiter *w);

/** Wake the threads of these classes, once, after the change they wait for. @return any slept */
bool weir_waiters_tell(struct weir_waiters *ws, uint64_t *classes);

/** Wake all who sleep: the workers have stopped. After the change that says so. */
void weir_waiters_wake(struct weir_waiters *ws);

/** Wake who sleeps for s, without telling who watches it. @return whether anybody slept */
bool weir_sock_wake(struct weir_sock *s);

/* The worker's side: sock_worker.c, sock_tcp.c, sock_dgram.c */

int weir_sock_worker_init(struct weir_sock_worker *ws, struct weir_socks *ss, uint16_t index,
	struct weir_core *core, struct weir_ip *ip, struct weir_udp *udp, struct weir_raw *raw,
	struct weir_tcp *tcp, struct weir_ready *ready);
void weir_sock_worker_fini(struct weir_sock_worker *ws);

/** Answer the door: take what application threads have left. @return sockets served */
unsigned int weir_sock_doors(struct weir_sock_worker *ws);

/** Tell sockets what the transports left in the ready list. @return events told */
unsigned int weir_sock_publish(struct weir_sock_worker *ws);

/** Does the door queue look empty? For the decision to sleep. */
bool weir_sock_is_quiet(struct weir_sock_worker *ws);

/** Serve the door bits of s right now (a call on the home worker). */
void weir_sock_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits);

/** Answer these bits in a later turn: just now it can't be done (home worker). */
void weir_sock_put_off(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits);

/** Take s's listener or binding out of this worker's table. */
void weir_sock_leave_one(struct weir_sock_worker *ws, struct weir_sock *s);

/**
 * Take it out of every worker's table, and give up its port: the worker `first` begins, and each
 * passes s on to the next. Never waits, never fails. Once for a socket.
 */
void weir_sock_leave(struct weir_socks *ss, struct weir_sock *s, uint16_t first);

/** An open with data (MSG_FASTOPEN). */
struct weir_sock_open {
	struct weir_sock *s;
	struct rte_mbuf *m; /* taken as far as the SYN can carry it: then NULL */
	uint32_t taken;	    /* out: bytes */
	uint32_t wanted;    /* bytes that the writer has; 0: it does not wait to send the rest */
	uint32_t all;	    /* bytes that the writer has */
	uint8_t how;	    /* enum weir_pkt_send of the last of them */
};

int weir_sock_tcp_connect(struct weir_sock_worker *ws, struct weir_sock *s);

/**
 * sock_fastopen.c: connect, or go on with what TCP_FASTOPEN_CONNECT deferred.
 * @return 0 or -errno
 */
int weir_sock_tcp_open(struct weir_sock_worker *ws, struct weir_sock_open *o);

/**
 * End the connection, or the attempt: a peer that believes in it is reset. The socket is as new,
 * but for SO_ERROR (ECONNRESET) and its flow.
 * @return 0; -ENOBUFS: the connection could not wake
 */
int weir_sock_tcp_disconnect(struct weir_sock_worker *ws, struct weir_sock *s);

/**
 * The same for shutdown() of an attempt to connect, if it still is one.
 * @return 0; -EISCONN: the peer has opened as well, what is sent or read ends as usual
 *         (RFC 9293 3.10.4, SYN-RECEIVED); -ENOBUFS
 */
int weir_sock_tcp_shut_attempt(struct weir_sock_worker *ws, struct weir_sock *s);

/** The latest ICMP error of the connection that ended nothing, as errno, taken; 0: none. */
int weir_sock_tcp_soft_error(struct weir_sock_worker *ws, struct weir_sock *s);

/** Send memory may have come free: tell who waits for it. */
void weir_sock_tcp_room(struct weir_sock_worker *ws, struct weir_sock *s);

/** Change a key of s's connection, or of s (home worker). @return 0 or -errno */
int weir_sock_tcp_key(struct weir_sock_worker *ws, struct weir_sock *s,
	const struct weir_tcp_keys_update *u);

int weir_sock_tcp_listen(struct weir_sock_worker *ws, struct weir_sock *s);
void weir_sock_tcp_unlisten(struct weir_sock_worker *ws, struct weir_sock *s);
void weir_sock_tcp_event(struct weir_sock_worker *ws, struct weir_tcp_conn *c, uint16_t events);
void weir_sock_tcp_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits);

/** Let data come to the callbacks, or leave it with TCP (home worker). */
void weir_sock_tcp_receiving(struct weir_sock_worker *ws, struct weir_sock *s, bool on);

/** May the home worker give data to the connection? */
static inline bool
weir_sock_may_give(const struct weir_sock *s)
{
	return !(weir_sock_flags(s) & (WEIR_SOCK_TX_SHUT | WEIR_SOCK_FD_CLOSED));
}

/** Whose connection c is, or NULL. */
static inline struct weir_sock *
weir_sock_of(const struct weir_tcp_conn *c)
{
	return c->end == NULL ? NULL : RTE_PTR_SUB(c->end, offsetof(struct weir_sock, tcp));
}

/** s's connection, awake (home worker). NULL: it has none, or could not wake. */
static inline struct weir_tcp_conn *
weir_sock_conn(struct weir_sock_worker *ws, struct weir_sock *s)
{
	return weir_tcp_conn_of(ws->tcp, &s->tcp);
}

/** Wake it if it sleeps (home worker). @return false: too many others are at work */
static inline bool
weir_sock_rouse(struct weir_sock_worker *ws, struct weir_sock *s)
{
	return likely(!weir_tcp_sleeps(&s->tcp)) || weir_sock_conn(ws, s) != NULL;
}

/** Has it data to send that its home worker has not taken yet? */
static inline bool
weir_sock_has_queued(const struct weir_sock *s)
{
	return __atomic_load_n(&s->txq.tail, __ATOMIC_ACQUIRE) != &s->txq.stub;
}

/**
 * May data be given to the connection now (home worker)? It is awake then, and has got what waits
 * in txq. @return false: too many others are at work
 */
bool weir_sock_tcp_ready(struct weir_sock_worker *ws, struct weir_sock *s);

/** Queue m on the connection, which is awake (home worker). Takes m, which is lost if that ended
 *  under us. */
void weir_sock_tcp_give(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m);

/** Enter s, a UDP or raw socket, into the worker's table; or again, with what has changed. */
int weir_sock_dgram_enter(struct weir_sock_worker *ws, struct weir_sock *s);
/** Take over the socket's memberships on this worker. @return 0; -ENOSPC, -ENOMEM: as before */
int weir_sock_mc_apply(struct weir_sock_worker *ws, struct weir_sock *s);

void weir_sock_dgram_leave(struct weir_sock_worker *ws, struct weir_sock *s);
void weir_sock_dgram_event(struct weir_sock_worker *ws, struct weir_pcb *pcb, uint16_t events);
void weir_sock_dgram_serve(struct weir_sock_worker *ws, struct weir_sock *s, uint32_t bits);

/** That of s, made of an mbuf of the pool if it has none. NULL: no mbuf. Any thread. */
struct weir_sock_extra *weir_sock_want_extra(struct weir_sock *s, struct rte_mempool *pool);

/** Free it, with the socket. */
void weir_sock_free_extra(struct weir_sock *s);

/** The first of the error queue, which weir_sock_first_note() gave, has been read: free it. */
void weir_sock_drop_note(struct weir_sock *s);

/** Add m, with its weir_dgram_note, to the error queue of s, if it has one. Takes m. Any thread. */
void weir_sock_add_note(struct weir_sock *s, struct rte_mbuf *m);

/** child's SO_TIMESTAMPING is that of its listener; where the count begins only it can say. */
void weir_sock_inherit_stamps(
	struct weir_sock_worker *ws, struct weir_sock *child, const struct weir_sock *ls);

/** Notes of a datagram about to be sent, as it asks for time stamps; NULL where there is none. */
struct weir_sock_stamps {
	struct rte_mbuf *m[2];
};
void weir_sock_make_stamps(struct weir_sock_worker *ws, struct rte_mbuf *m,
	const struct weir_send_how *how, struct weir_sock_stamps *stamps);

/** It was sent, and they are told; or not, and they are freed. */
void weir_sock_tell_stamps(
	struct weir_sock *s, const struct weir_sock_stamps *stamps, bool is_sent);

/** What c has to tell beside data goes to the error queue of s, or to its saved SYN. */
void weir_sock_take_notes(
	struct weir_sock_worker *ws, struct weir_sock *s, struct weir_tcp_conn *c);

/** d was longer than its path takes at once: errors and notes as s has asked for them. */
void weir_sock_note_width(
	struct weir_sock_worker *ws, struct weir_sock *s, const struct weir_dgram *d);

/** The first of the error queue, which stays there, or NULL. Under recv_lock. */
struct rte_mbuf *weir_sock_first_note(struct weir_sock *s);

/** Send a datagram whose weir_pkt says where to (flow) and how (home worker). Takes m. */
int weir_sock_dgram_send(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m);

/** Tell an event to the socket's callback, if it has one. */
void weir_sock_tell(
	struct weir_sock_worker *ws, struct weir_sock *s, enum weir_event ev, int error);

/* hand.c */

/**
 * Hand m's data to the socket's receive callback, which it has. Takes m.
 * @return whether the application keeps m: its memory is not to be credited yet
 */
bool weir_sock_hand(struct weir_sock_worker *ws, struct weir_sock *s, struct rte_mbuf *m);

/** Where m, a packet that s has received, came from. */
void weir_sock_from(const struct weir_sock *s, struct rte_mbuf *m, struct weir_from *from);

/* lend.c */

/** A packet as the application has it, noted before it is gone. */
struct weir_loan {
	struct weir_sock *sock; /* NULL: it is no loan */
	uint32_t bytes;
	uint32_t life;
};

/** The application gets m from s. */
void weir_lend(struct weir_sock *s, struct rte_mbuf *m);

/** It keeps it: count it. Any thread. */
void weir_lend_count(struct weir_sock *s, uint32_t bytes);

/** m is not lent any more; weir_lend_again() takes that back. */
struct weir_loan weir_lend_end(struct rte_mbuf *m);
void weir_lend_again(struct rte_mbuf *m, const struct weir_loan *loan);

/**
 * It is back: counts and windows follow. Any thread.
 * @param ws  the home worker's, when the caller may act on it; else NULL
 */
void weir_lend_repaid(struct weir_sock_worker *ws, const struct weir_loan *loan);

/** Do applications hold as much as they may, or s as much as its receive buffer? */
bool weir_lend_is_full(const struct weir_sock *s);
bool weir_lend_is_over(const struct weir_sock *s, uint32_t bytes);

/** s keeps its data with TCP until applications have given mbufs back. */
void weir_lend_stall(struct weir_sock_worker *ws, struct weir_sock *s);

/** Let those go on that were stalled, if it is time. @return sockets */
unsigned int weir_lend_resume(struct weir_sock_worker *ws, bool is_end);

/**
 * The reference that s's connection has goes at the end of this turn, so that s can be used until
 * then.
 * Once per connection.
 */
void weir_sock_let_go(struct weir_sock_worker *ws, struct weir_sock *s);

/** Is it a set of epoll? */
static inline bool
weir_sock_is_epoll(const struct weir_sock *s)
{
	return s->kind == WEIR_SOCK_OTHER && s->ops == &weir_epoll_ops;
}

/** The set that such a descriptor is. */
static inline struct weir_epoll *
weir_epoll_of(const struct weir_sock *set)
{
	return set->object;
}

#endif
