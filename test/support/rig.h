/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One TCP connection, segment by segment, on a virtual clock: a worker's stack from TCP down to a
 * fake port, and a peer that is the test.
 * Model   Sequence numbers are relative: each side's SYN is 0, its first byte 1. The payload of a
 *         stream is a pattern of its position, so that what comes out is checked by itself.
 *         Each rig_recv(), rig_write() .. is one turn of a worker: input, socket layer, flush.
 */
#ifndef RIG_H
#define RIG_H

#include "fake_port.h"
#include "unit.h"
#include "weir_tcp.h"
#include "weir_tcp_hdr.h"

#define FIN WEIR_TCP_FIN
#define SYN WEIR_TCP_SYN
#define RST WEIR_TCP_RST
#define PSH WEIR_TCP_PSH
#define ACK WEIR_TCP_ACK
#define URG WEIR_TCP_URG
#define ECE WEIR_TCP_ECE
#define CWR WEIR_TCP_CWR

#define RIG_MSS   1000  /* the peer's */
#define RIG_WND   65535 /* what the peer announces where .wnd is not set */
#define RIG_WND_0 UINT32_MAX /* .wnd: a closed window */
#define RIG_PORT  2000  /* ours */
#define RIG_PEER  3000
#define RIG_MS    UINT64_C(1000)
#define RIG_S     UINT64_C(1000000)

/** How the stack and the handshake are to be; zero is the plain case. */
struct rig_setup {
	void (*tune)(struct weir_tcp_conf *conf); /* over the defaults, with options off */
	bool is_passive;   /* the peer opens; SYN_RECEIVED always is */
	bool is_v6;
	bool use_ts;       /* both sides */
	bool use_wscale;   /* both sides; the peer's shift is 7 */
	bool use_ecn;      /* both sides */
	bool use_sack;     /* both sides */
	bool use_tso;      /* the port cuts up super-segments */
	uint32_t iss;      /* ours, if not 0 */
	uint32_t irs;      /* the peer's */
	uint32_t wnd;      /* of the peer's SYN; 0: RIG_WND */
	uint16_t mss;      /* of the peer's SYN; 0: RIG_MSS */
	unsigned int mbufs; /* size of the pool; 0: 4095 */
};

struct rig {
	struct rte_mempool *pool;
	struct rte_mempool *input; /* for what the peer sends */
	struct weir_wheel wheel;
	struct weir_core core;
	struct fake_port port;
	struct weir_iface ifc;
	struct weir_ip ip;
	struct weir_tcp tcp;
	struct weir_ready ready;
	struct weir_tcp_listener listener;
	uint32_t n_accept;
	bool is_deaf; /* the socket layer takes no new connections */
	union {
		struct weir_tcp_conn *conn; /* NULL in SYN_RECEIVED of a passive open */
		struct weir_tcp_end end;    /* the same; see may_sleep */
	};
	bool may_sleep; /* else a connection that falls asleep is woken at once */
	struct weir_flow flow;
	uint32_t iss, irs;
	uint32_t ts_val; /* of the peer's clock, ms; follows the virtual clock */
	uint64_t now_us;
	uint64_t given; /* packets given to TCP */
	unsigned int events; /* all that conn had; the test clears them */
	struct weir_pktq rx;
	uint32_t read_pos;  /* sequence number of the next byte to read */
	uint32_t write_pos; /* of the next byte to write */
	struct rig_setup setup;
};

/**
 * A segment to receive, or expected. PSH of text is compared where .flags or .is_unpushed names
 * it.
 */
struct rig_seg {
	uint8_t flags;
	uint32_t seq;
	uint32_t ack;
	uint32_t wnd; /* recv: 0 is RIG_WND. sent: 0 is not checked. Unscaled; RIG_WND_0 */
	uint16_t len; /* payload, of the pattern */
	uint8_t opts; /* WEIR_TCP_OPT_*: those in the segment. sent: checked if not 0 */
	uint8_t wscale;
	uint16_t mss;
	uint32_t ts_val; /* recv: 0 is the peer's clock; sent: not checked */
	uint32_t ts_ecr; /* recv: 0 is our latest timestamp; sent: checked if not 0 */
	const uint8_t *raw; /* recv: options as they stand, instead of opts */
	uint8_t raw_len;
	uint8_t pkt_flags; /* recv: enum weir_pkt_flag */
	uint16_t sport;    /* recv: another port of the peer */
	uint16_t dport;    /* recv: another port of ours */
	uint8_t tos;       /* sent: checked if not 0 */
	bool is_unpushed;  /* sent: has no PSH */
	bool is_not_ect;   /* sent: the ECN field is 0 */
	bool is_ae; /* the flag AE (RFC 9768), beside flags */
	bool is_bad_cksum;
	bool no_ts; /* recv: leave out the negotiated timestamps */
	/* SACK blocks, until one ends at 0: recv: of our stream. sent: of the peer's; checked if
	 * there is one, or if opts is given */
	struct weir_tcp_sack sack[WEIR_TCP_SACK_BLOCKS];
	uint16_t split; /* recv: cut the packet after so many bytes from the IP header on */
};

/** A stack whose connection is in this state, nothing sent or waiting. */
void rig_open(struct rig *r, enum weir_tcp_state state);
void rig_open_as(struct rig *r, enum weir_tcp_state state, const struct rig_setup *setup);

/** ESTABLISHED by our SYN, which the peer answered after rtt_us. */
void rig_open_rtt(struct rig *r, uint64_t rtt_us, const struct rig_setup *setup);

/** The state of the connection, in whatever form the stack has it. */
enum weir_tcp_state rig_state(struct rig *r);

/** Nothing else was sent, no mbuf is lost, counters add up. */
void rig_close(struct rig *r);

#define rig_recv(r, ...) rig_recv_seg(r, &(struct rig_seg){__VA_ARGS__})
void rig_recv_seg(struct rig *r, const struct rig_seg *seg);

/** Several segments of one burst: rig_queue() them, then rig_turn(). */
#define rig_queue(r, v, ...) rig_queue_seg(r, v, &(struct rig_seg){__VA_ARGS__})
void rig_queue_seg(struct rig *r, struct weir_vec *v, const struct rig_seg *seg);
void rig_turn(struct rig *r, struct weir_vec *v);

/** The oldest segment sent is this one. */
#define rig_sent(r, ...) rig_sent_seg(r, &(struct rig_seg){__VA_ARGS__}, __FILE__, __LINE__)
void rig_sent_seg(struct rig *r, const struct rig_seg *seg, const char *file, unsigned int line);

/** The oldest segment sent stands at seq, of any size. @return bytes of text; 0: none sent */
uint32_t rig_sent_text(struct rig *r, uint32_t seq);

#define rig_sent_nothing(r) CU_ASSERT_EQUAL(rig_pending(r), 0)
unsigned int rig_pending(struct rig *r);

/** Forget what was sent. @return how many segments */
unsigned int rig_forget(struct rig *r);

/** The oldest packet sent, from the IP header on, now the caller's; or NULL. */
struct rte_mbuf *rig_take(struct rig *r);

/** Let time pass; timers fire when they are due, each in its own turn. */
void rig_advance(struct rig *r, uint64_t us);

/** When the connection's next timer fires; WEIR_WHEEL_NEVER */
uint64_t rig_next_timer_us(struct rig *r);

/** Send n bytes of the pattern. */
void rig_write(struct rig *r, uint32_t n);

/** The same as a chain of packets of at most max bytes, without a turn. */
void rig_write_parts(struct rig *r, uint32_t n, uint32_t max);

/** Read all there is, checked against the pattern; the window opens. @return bytes */
uint32_t rig_read(struct rig *r);

/** What the ICMP layer found about a segment we sent at seq. */
void rig_icmp(struct rig *r, uint32_t seq, int error, bool is_hard, uint16_t mtu);

#endif
