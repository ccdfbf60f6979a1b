/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CABLE_PRIV_H
#define CABLE_PRIV_H

#include "weir_cable.h"
#include "weir_lock.h"
#include "weir_ring.h"

#define CABLE_MZ_PREFIX  "weir_cable_"
#define CABLE_FRAMES_MAX 256 /* of one TSO packet */
#define CABLE_HDR_MAX    192 /* Ethernet, two tags, IP with options or extensions, TCP */
#define CABLE_TUPLE_MAX  36  /* bytes of an IPv6 flow */

/** Toeplitz hashing by table: the hash is linear, so each byte at each place adds a constant. */
struct cable_rss {
	uint32_t table[CABLE_TUPLE_MAX][256];
};

/** What one transmit queue of an end counts; its thread: w. */
struct cable_txq {
	uint64_t packets; /* frames after segmentation, dropped ones included */
	uint64_t bytes;
	uint64_t oversize;
	uint64_t down;
	uint64_t bad;
	uint64_t no_mbuf;
	uint64_t full;
} __rte_cache_aligned;

struct cable_rxq {
	struct rte_ring *ring; /* senders: produce, this queue's thread: consumes */
	uint64_t packets;      /* its thread: w */
	uint64_t bytes;
	uint64_t no_mbuf; /* frames lost between ring and reader */
	int timer_fd;     /* readable when a frame is due; -1 without */
	bool is_armed;    /* the reader waits on timer_fd; reader and senders: rw */
} __rte_cache_aligned;

/** One end: what it receives, and counts of what it sends. */
struct cable_end {
	struct weir_port port;
	struct weir_cable *cable;
	bool is_open;    /* a port opened by name */
	bool is_started; /* control: rw */
	bool use_intr;   /* timer_fds are there */
	uint16_t rings; /* rxq[] with a ring; never fewer until the cable goes */
	/* Frames to this end pass the line while this is set; lock: w, senders: r */
	bool is_impaired;
	uint32_t lock; /* of line, line_full, impair */
	struct weir_line *line;
	struct weir_impair impair;
	uint64_t line_full; /* came out of the line into a full queue */
	struct cable_txq txq[WEIR_PORT_QUEUES_MAX];
	struct cable_rxq rxq[WEIR_PORT_QUEUES_MAX];
};

struct weir_cable {
	char name[WEIR_CABLE_NAME_LEN];
	struct weir_cable_conf conf;
	const struct weir_clock *clock;
	struct weir_clock tsc; /* what clock points to when none was given */
	bool is_plugged;       /* control: w */
	bool is_up;            /* plugged and both ends started; control: w, senders: r */
	bool is_named;         /* made by an open: the last close frees it */
	struct cable_end end[2];
	struct cable_rss rss;
};

/* cable.c */

/** Make room for n receive queues and spread flows over them. @return 0 or -ENOMEM */
int cable_end_setup(struct cable_end *e, uint16_t n_queues, bool use_intr);
/** Recompute whether frames pass. */
void cable_update_link(struct weir_cable *c);

/* port.c */
extern const struct weir_port_ops cable_port_ops;
/** Empty the receive queues of a stopped end. */
void cable_end_drain(struct cable_end *e);

/* rss.c */
void cable_rss_init(struct cable_rss *rss);
/** Hash of a frame's addresses, and ports where it has them. @return false: not IP */
bool cable_rss_hash(const struct cable_rss *rss, const struct rte_mbuf *m, uint32_t *hash);

/* offload.c */

/** A deep copy from m's own pool; NULL without mbufs. */
struct rte_mbuf *cable_copy(const struct rte_mbuf *m);
/** Fill in the checksums that m asks for, where it makes sense, and no longer ask for them.
 *  Its headers are contiguous and its own. */
void cable_finish_owned(struct rte_mbuf *m);
/** The same for any m. @return m or a chain in its place; NULL (m freed) without mbufs */
struct rte_mbuf *cable_finish(struct rte_mbuf *m);
/** Put the tag that m asks for into the frame. Return as above. */
struct rte_mbuf *cable_tag_in(struct rte_mbuf *m);
/** Take a tag from the frame into vlan_tci. Return as above. */
struct rte_mbuf *cable_tag_out(struct rte_mbuf *m);

/* tso.c */

/** Do lengths, segment size and headers fit each other? */
bool cable_tso_is_valid(const struct rte_mbuf *m);
/** How many frames a valid m makes. */
uint32_t cable_tso_frames(const struct rte_mbuf *m);
/**
 * Cut m, which is freed. @param frames room for cable_tso_frames(m)
 * @return 0, or -ENOMEM and no frames
 */
int cable_tso_cut(struct rte_mbuf *m, struct rte_mbuf **frames);

static inline struct cable_end *
cable_end_of(const struct weir_port *p)
{
	return (struct cable_end *)p->priv;
}

static inline struct cable_end *
cable_other(const struct cable_end *e)
{
	struct weir_cable *c = e->cable;

	return e == &c->end[0] ? &c->end[1] : &c->end[0];
}

static inline bool
cable_is_up(const struct weir_cable *c)
{
	return __atomic_load_n(&c->is_up, __ATOMIC_ACQUIRE);
}

static inline bool
cable_is_impaired(const struct cable_end *e)
{
	return __atomic_load_n(&e->is_impaired, __ATOMIC_ACQUIRE);
}

#endif
