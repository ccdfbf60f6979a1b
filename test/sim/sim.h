/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Simulation: a few stacks, each joined to each by a cable, on one virtual clock in one thread;
 * applications and a network that are up to no good, all from one seed.
 * Model   World (stacks, cables, time), flows (two applications and a connection between them),
 *         trouble (what the network and the machine do to them), rules (what must hold
 *         nevertheless).
 *         A rule that is broken is told by sim_break() and ends the run.
 */
#ifndef SIM_H
#define SIM_H

#include "stack_priv.h"
#include "weir_cable.h"
#include "weir_rand.h"

struct sim;
struct sim_flow;

#define SIM_STACKS_MAX 3
#define SIM_CABLES_MAX 3 /* a full mesh */
#define SIM_FLOWS_MAX  12
#define SIM_MS	       UINT64_C(1000)
#define SIM_S	       UINT64_C(1000000)

enum sim_end { SIM_CLIENT, SIM_SERVER };

/** One application: an end of a flow. */
struct sim_app {
	unsigned int stack;
	int fd; /* -1: none (yet, or any more) */
	uint64_t size; /* what it will send */
	uint64_t sent;
	uint64_t got;
	uint64_t before;   /* of both, when it acted last */
	uint64_t next_us;  /* when it acts next */
	uint32_t pause_us; /* longest time it takes between two acts, */
	uint32_t idle_us;  /* and how much longer now, for want of anything to do */
	uint32_t chunk;    /* most that it sends or reads at once */
	bool aborts;       /* closes by a reset some time */
	bool leaves_early; /* closes without reading all */
	bool has_callbacks; /* inside.c; or calls, from outside */
	bool takes_mbufs;   /* of which some are kept for a while; and sends some */
	bool opens_fast;    /* a client: data goes with its SYN */
	bool is_held;
	bool is_open;      /* connected or accepted */
	bool has_shut;
	bool has_eof;
	bool is_done;
	int error; /* that ended it */
	unsigned int n_kept;
	struct rte_mbuf *kept[8];
	struct sim *sim;
	struct sim_flow *flow;
};

struct sim_flow {
	struct sim_app app[2];
	unsigned int cable;
	int domain;
	uint16_t port;
	int listener;
	uint64_t start_us;
	bool may_fail; /* something happened that may end it by an error */
};

struct sim_cable {
	struct weir_cable *cable;
	unsigned int stack[2];
	uint64_t down_until_us; /* 0: up */
	uint16_t mtu;
	char name[WEIR_CABLE_NAME_LEN];
};

struct sim_stack {
	struct weir_stack *st;
	struct rte_mempool *pools[4];
	unsigned int n_pools;
	struct rte_mbuf *famine[4096]; /* mbufs taken away */
	unsigned int n_famine;
	uint64_t famine_until_us;
	int udp; /* dgram.c */
};

struct sim {
	uint64_t seed;
	struct weir_rand rand;
	struct weir_clock clock;
	unsigned int n_stacks, n_cables, n_flows;
	struct sim_stack stack[SIM_STACKS_MAX];
	struct sim_cable cable[SIM_CABLES_MAX];
	struct sim_flow flow[SIM_FLOWS_MAX];
	uint64_t trouble_next_us, calm_us; /* trouble comes until calm_us */
	uint64_t dgram_next_us; /* UINT64_MAX: no datagrams */
	bool has_corrupted; /* a cable may have: two flipped bits may leave a checksum as it was */
	uint64_t steps;
	bool is_loud;
	uint64_t print_us; /* when the state is printed next */
	bool is_broken;
	struct sim_seen *seen; /* rules.c */
};

/** Does it happen, with this probability in percent? */
static inline bool
sim_chance(struct sim *s, uint32_t percent)
{
	return weir_rand_below(&s->rand, 100) < percent;
}

/** A number of min..max, small ones likelier. */
uint32_t sim_skewed(struct sim *s, uint32_t min, uint32_t max);

static inline uint64_t
sim_now(const struct sim *s)
{
	return weir_clock_now_us(&s->clock);
}

/** A rule is broken: say which, once. */
void sim_break(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** What happens, for who replays a seed by --loud. */
void sim_tell(const struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* world.c */

void sim_world_open(struct sim *s);
void sim_world_close(struct sim *s); /* nothing may be left */
void sim_world_step(struct sim *s);

/** The address of a stack on a cable. @return its length */
socklen_t sim_addr(const struct sim *s, unsigned int cable, unsigned int stack, int domain,
	uint16_t port, struct sockaddr_storage *ss);

/* flow.c */

void sim_flows_open(struct sim *s);
void sim_flows_act(struct sim *s);
bool sim_flows_done(const struct sim *s);
void sim_flows_end(struct sim *s); /* after the last: each has what it should have */
uint64_t sim_flows_next_us(const struct sim *s);

/** Print what is not finished, for a run that broke a rule. */
void sim_flows_print(const struct sim *s);

/* What comes to an application or is done by it: it is checked, or ends it */
void sim_app_got(
	struct sim *s, struct sim_flow *f, struct sim_app *a, const uint8_t *buf, size_t n);
void sim_app_end(struct sim *s, struct sim_flow *f, struct sim_app *a); /* end of file */
void sim_app_send(struct sim *s, struct sim_flow *f, struct sim_app *a);
void sim_app_fail(struct sim *s, struct sim_flow *f, struct sim_app *a, int error);

/* dgram.c */

void sim_dgrams_open(struct sim *s);
void sim_dgrams_act(struct sim *s);

/* inside.c */

/** a, which has callbacks, is to get what comes to fd, a socket to be connected or to listen. */
void sim_inside_open(struct sim_app *a, struct weir_stack *st, int fd);

/** Let go of what it keeps back. */
void sim_inside_release(struct sim_app *a, struct weir_stack *st);

/* trouble.c */

void sim_trouble(struct sim *s);
uint64_t sim_trouble_next_us(const struct sim *s);

/* rules.c */

void sim_rules_open(struct sim *s);
void sim_rules_close(struct sim *s);
void sim_rules_check(struct sim *s); /* after each step */

/** Print all connections. */
void sim_rules_print(const struct sim *s);

#endif
