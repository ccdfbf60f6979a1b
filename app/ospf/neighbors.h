/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Whom a speaker of OSPF has heard, and who has heard it: the states Down, Init and 2-Way of
 * RFC 2328 10.1. Adjacencies are not formed.
 * Model   A table by router identifier. Pure but for the table; the time is given.
 */
#ifndef APP_OSPF_NEIGHBORS_H
#define APP_OSPF_NEIGHBORS_H

#include <stdbool.h>

#include "wire.h"

enum ospf_state { OSPF_DOWN, OSPF_INIT, OSPF_TWO_WAY };

struct ospf_neighbor {
	uint32_t router_id;
	uint32_t addr; /* where its Hellos come from */
	enum ospf_state state;
	uint64_t heard_us;
};

/** us: what we say of ourselves; its neighbors are filled in by ospf_neighbors_list() */
struct ospf_neighbors {
	struct ospf_hello us;
	uint32_t n;
	struct ospf_neighbor of[OSPF_NEIGHBORS_MAX];
};

/**
 * A Hello came (RFC 2328 10.5).
 * @return whose it is, its state changed; NULL: passed over, *why says it (NULL: our own)
 */
const struct ospf_neighbor *ospf_neighbors_hear(struct ospf_neighbors *ns,
	const struct ospf_hello *h, uint32_t from, uint64_t now_us, const char **why);

/** Forget one that was silent for RouterDeadInterval. @return whether *gone was one */
bool ospf_neighbors_expire(
	struct ospf_neighbors *ns, uint64_t now_us, struct ospf_neighbor *gone);

/** Our next Hello is to name all that are known. */
void ospf_neighbors_list(struct ospf_neighbors *ns);

/** How many have heard us. */
uint32_t ospf_neighbors_two_way(const struct ospf_neighbors *ns);

const char *ospf_state_name(enum ospf_state state);

#endif
