/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What IGMP and MLD share: groups as the routers are to see them, and reports being written.
 */
#ifndef MCAST_PRIV_H
#define MCAST_PRIV_H

#include "ip_priv.h"
#include "weir_mcast.h"

#define GROUP_SOURCES_MAX 64 /* that one group's record can name; beyond: all sources */

#define MC_ROBUSTNESS 2		/* RFC 3376 8.1, RFC 3810 9.1 */
#define MC_QUERY_US   125000000 /* RFC 3376 8.2, RFC 3810 9.2 */

/** RFC 3376 4.2.12, RFC 3810 5.2.12. */
enum mc_record {
	MC_IS_IN = 1,
	MC_IS_EX = 2,
	MC_TO_IN = 3,
	MC_TO_EX = 4,
	MC_ALLOW = 5,
	MC_BLOCK = 6,
};

struct mc_source {
	struct weir_addr addr;
	uint16_t n_include; /* sockets that ask for it; that refuse it */
	uint16_t n_exclude;
	bool was_listed; /* in the filter as last told */
	bool is_asked;   /* a query wants to know about it */
	uint8_t left;    /* times that its change has still to be told */
};

/** A group on an interface. Also kept while its end is still to be told. */
struct mc_group {
	LIST_ENTRY(mc_group) link;
	struct weir_addr addr;
	uint8_t ifindex;
	bool is_own;      /* solicited-node group of an address */
	bool was_exclude; /* mode as last told */
	bool is_wide;     /* more sources than can be named */
	bool is_asked_all; /* a query wants all of it */
	bool is_reporter; /* RFC 2236 6: ours was the last report */
	uint8_t mode_left; /* times that the change of mode has still to be told */
	uint16_t n_include; /* sockets by mode */
	uint16_t n_exclude;
	uint64_t change_at_us; /* next report of changes, or NEVER */
	uint64_t answer_at_us; /* answer to a query, or NEVER */
	uint32_t n_sources;
	struct mc_source sources[GROUP_SOURCES_MAX];
};

/** One IP version on one interface. */
struct mc_link {
	uint64_t v1_until_us; /* RFC 3376 7.2.1, RFC 3810 8.2.1: an old querier is there */
	uint64_t v2_until_us; /* IGMP only */
	uint64_t answer_at_us; /* answer to a general query, or NEVER */
	uint8_t robustness;
	uint64_t interval_us; /* of the querier */
};

struct weir_mcast {
	LIST_HEAD(, mc_group) groups;
	struct mc_link links[WEIR_IFACES_MAX][2]; /* by interface; IPv4, IPv6 */
	struct weir_wheel_entry timer;
};

/** A query as values. */
struct mc_query {
	uint8_t ifindex;
	bool is_v4;
	struct weir_addr group; /* any: a general one */
	uint64_t max_us;        /* answer within */
	uint8_t robustness;     /* 0: not said */
	uint64_t interval_us;   /* 0: not said */
	uint32_t n_sources;
	struct weir_addr sources[GROUP_SOURCES_MAX];
};

/* mcast_group.c */

struct mc_group *mcast_find(const struct weir_ip *ip, const struct weir_addr *addr,
	uint8_t ifindex);

/** @return the group, made when it is not there; NULL: no memory */
struct mc_group *mcast_get(struct weir_ip *ip, const struct weir_addr *addr, uint8_t ifindex);

/** @return the source, noted when it is not there; NULL: no room */
struct mc_source *mcast_get_source(struct mc_group *g, const struct weir_addr *addr);

/** A socket's membership comes (+1) or goes (-1). */
void mcast_count(struct mc_group *g, const struct weir_mc_join *j, int by);

bool mcast_is_in_use(const struct mc_group *g);
bool mcast_is_exclude(const struct mc_group *g);

/** Is the source in the list of the merged filter? */
bool mcast_is_listed(const struct mc_group *g, const struct mc_source *s);

/** Are routers told of it (RFC 3376 6.1, RFC 3810 6)? */
bool mcast_is_told(const struct weir_addr *group);

/** RFC 3376 5.1: what differs from what was told last is to be told, as often as the link needs. */
void mcast_note_change(struct weir_ip *ip, struct mc_group *g);
bool mcast_has_news(const struct mc_group *g);

/** Nobody is in it, and that is told. */
bool mcast_is_done(const struct mc_group *g);

/** Drop sources that nobody names and that are told, and the group when that is true of it. */
void mcast_forget(struct mc_group *g);

/* mcast.c */

int mcast_init(struct weir_ip *ip, int numa_node);
void mcast_fini(struct weir_ip *ip);

/** Deadlines have changed. */
void mcast_arm(struct weir_ip *ip);

/* mcast_answer.c */

/** Tell changes of the group, and plan when to do it again. */
void mcast_tell(struct weir_ip *ip, struct mc_group *g, bool is_v4);

/** Answer what was asked of the group; of a link: all groups in as few messages as hold them. */
void mcast_answer(struct weir_ip *ip, struct mc_group *g, bool is_v4);
void mcast_answer_all(struct weir_ip *ip, uint8_t ifindex, bool is_v4);

/** Plan the answer to a query. */
void mcast_take_query(struct weir_ip *ip, const struct mc_query *q);

/** Somebody else reported the group (old versions): no need to answer. */
void mcast_hear_report(struct weir_ip *ip, const struct weir_addr *group, uint8_t ifindex);

/**
 * The end of a query of the newest versions, alike in RFC 3376 4.1.5 to 4.1.9 and RFC 3810 5.1.7 to
 * 5.1.10: robustness, interval, sources.
 * @return false: shorter than it says
 */
bool mcast_read_sources(struct mc_query *q, const uint8_t *msg, uint32_t len);

/** RFC 3376 4.1.1: from 128 on a mantissa and an exponent. */
uint64_t mcast_code(uint8_t code);

/** RFC 3376 8.12, RFC 3810 9.12: until when the querier of an old version is remembered. */
static inline uint64_t
mcast_old_until(const struct weir_ip *ip, const struct mc_link *l, const struct mc_query *q)
{
	return ip->core->now_us + l->robustness * l->interval_us + q->max_us;
}

static inline struct weir_addr
mcast_addr_at(const uint8_t *bytes, bool is_v4)
{
	struct weir_be32 v4;

	if (!is_v4)
		return weir_addr_v6(bytes);
	memcpy(&v4, bytes, sizeof(v4));
	return weir_addr_v4(v4);
}

static inline struct mc_link *
mcast_link(struct weir_ip *ip, uint8_t ifindex, bool is_v4)
{
	return &ip->mcast->links[ifindex][!is_v4];
}

/* igmp.c, mld.c: the version that a link speaks (IGMP 1..3, MLD 1..2), and sending */

unsigned int igmp_version(const struct weir_ip *ip, const struct mc_link *l);
unsigned int mld_version(const struct weir_ip *ip, const struct mc_link *l);

/** Send a message (data starts at its header, whose checksum is filled in here). Takes m. */
void igmp_send(struct weir_ip *ip, struct weir_iface *ifc, const struct weir_addr *dst,
	struct rte_mbuf *m);
void mld_send(struct weir_ip *ip, struct weir_iface *ifc, const struct weir_addr *dst,
	struct rte_mbuf *m);

/** A report or, of a group that was left, its end, in the words of the old versions. */
void igmp_send_old(struct weir_ip *ip, const struct mc_group *g, bool is_end);
void mld_send_old(struct weir_ip *ip, const struct mc_group *g, bool is_end);

/** Messages that came in. Take m. */
void igmp_input(struct weir_ip *ip, struct rte_mbuf *m);
void mld_input(struct weir_ip *ip, struct rte_mbuf *m);

/* mcast_report.c: reports of the newest versions */

/** A report being filled; as many are sent as are needed. */
struct mc_report {
	struct weir_ip *ip;
	struct weir_iface *ifc;
	bool is_v4;
	struct rte_mbuf *m; /* NULL: none begun */
	uint16_t n_records;
};

/** Add a record; listed tells which of the group's sources it names. */
void mcast_report_add(struct mc_report *r, const struct mc_group *g, enum mc_record type,
	bool (*listed)(const struct mc_group *g, const struct mc_source *s));
void mcast_report_send(struct mc_report *r);

#endif
