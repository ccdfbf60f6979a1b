/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Socket options: a table for each level, a row for each option.
 * Model   What is not in a table does not exist (ENOPROTOOPT); what is in it has its effect, or
 *         says in doc/options.md that it is only kept.
 */
#ifndef OPT_PRIV_H
#define OPT_PRIV_H

#include <errno.h>

#include "stack_priv.h"

enum weir_opt_kind {
	WEIR_OPT_ANY,
	WEIR_OPT_TCP,
	WEIR_OPT_DGRAM, /* UDP and raw */
	WEIR_OPT_UDP,
	WEIR_OPT_RAW,
};

struct weir_opt;

/**
 * @param value  out: o->size bytes
 * @return 0; or 1 more than the bytes, where that varies; or negative errno
 */
typedef int (*weir_opt_get)(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);
typedef int (*weir_opt_set)(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value);

struct weir_opt {
	int name;
	enum weir_opt_kind kind;
	uint16_t size; /* of the value; longest one of those with set_text */
	weir_opt_get get;
	weir_opt_set set;
	uint32_t bit; /* of weir_sock.switches */
	int (*set_text)(struct weir_stack *st, struct weir_sock *s, const char *text);
	/* Values of any length from size on; the results are their length, or negative errno. */
	int (*get_long)(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
		void *value, socklen_t len);
	int (*set_long)(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
		const void *value, socklen_t len);
	int (*get_own)(struct weir_sock *s, void *value, socklen_t *len); /* as getsockopt() */
	bool has_shorter; /* the next row is the same option for those with less room */
};

static inline bool
weir_opt_can_get(const struct weir_opt *o)
{
	return o->get != NULL || o->get_long != NULL || o->get_own != NULL;
}

static inline bool
weir_opt_can_set(const struct weir_opt *o)
{
	return o->set != NULL || o->set_text != NULL || o->set_long != NULL;
}

/** The tables of each level; those of a level are tried one after the other. */
struct weir_opt_level {
	int level;
	const struct weir_opt *table; /* NULL: the end */
};
extern const struct weir_opt_level weir_opt_levels[];

/* Tables, each ended by a row without size. */
extern const struct weir_opt weir_opts_socket[];
extern const struct weir_opt weir_opts_ip4[];
extern const struct weir_opt weir_opts_ip6[];
extern const struct weir_opt weir_opts_tcp[];
extern const struct weir_opt weir_opts_syn[];    /* more of level IPPROTO_TCP */
extern const struct weir_opt weir_opts_stamps[]; /* more of level SOL_SOCKET */
extern const struct weir_opt weir_opts_udp[];
extern const struct weir_opt weir_opts_no_check[]; /* more of level SOL_SOCKET */
extern const struct weir_opt weir_opts_err4[];	   /* more of level IPPROTO_IP */
extern const struct weir_opt weir_opts_err6[];	   /* more of level IPPROTO_IPV6 */
extern const struct weir_opt weir_opts_path4[];	   /* more of level IPPROTO_IP */
extern const struct weir_opt weir_opts_path6[];	   /* more of level IPPROTO_IPV6 */
extern const struct weir_opt weir_opts_mcast4[]; /* more of level IPPROTO_IP */
extern const struct weir_opt weir_opts_mcast6[]; /* more of level IPPROTO_IPV6 */
extern const struct weir_opt weir_opts_raw[];    /* level SOL_RAW: both versions */
extern const struct weir_opt weir_opts_raw4[];   /* more of level IPPROTO_IP */
extern const struct weir_opt weir_opts_raw6[];   /* more of level IPPROTO_IPV6 */
extern const struct weir_opt weir_opts_icmp6[];  /* level IPPROTO_ICMPV6 */

/* opt_mcast.c: the name of an interface, a port's section of the configuration; "": none */
#define WEIR_OPT_IFACE_LEN 32

/** ifindex 0, address 0: none named. @return its number from 0 on, -1 for none named, -ENODEV */
int weir_opt_iface_by_index(const struct weir_stack *st, uint32_t ifindex);
int weir_opt_iface_by_addr(const struct weir_stack *st, const struct weir_addr *addr);

/** @return 0; -EADDRNOTAVAIL: of another family */
int weir_opt_read_addr(const struct sockaddr_storage *ss, struct weir_addr *addr);

/** Makes a socket's next memberships of a copy of those it has. @return 0 or negative errno */
typedef int (*weir_mc_edit)(struct weir_mc_set *set, const void *arg);

/** From one set to the next on every worker, or all is as before. @return 0 or negative errno */
int weir_mc_edit_set(
	struct weir_stack *st, struct weir_sock *s, weir_mc_edit edit, const void *arg);

/** @param ifindex  -1: on any interface */
struct weir_mc_join *weir_mc_join_of(
	struct weir_mc_set *set, const struct weir_addr *group, int ifindex);

void weir_mc_remove_join(struct weir_mc_set *set, struct weir_mc_join *j);

/* opt_msfilter.c: mode and sources of a membership at once (RFC 3678 4.2, 5.2) */
int weir_opt_get_msfilter(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
	void *value, socklen_t len);
int weir_opt_set_msfilter(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o,
	const void *value, socklen_t len);
int weir_opt_get_group_filter(struct weir_stack *st, struct weir_sock *s,
	const struct weir_opt *o, void *value, socklen_t len);
int weir_opt_set_group_filter(struct weir_stack *st, struct weir_sock *s,
	const struct weir_opt *o, const void *value, socklen_t len);

int weir_opt_get_send_iface(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);
int weir_opt_set_send_iface(struct weir_stack *st, struct weir_sock *s, const char *name);
int weir_opt_get_bound_iface(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);
int weir_opt_set_bound_iface(struct weir_stack *st, struct weir_sock *s, const char *name);

/** Room for any value. */
#define WEIR_OPT_MAX 320

static inline int
weir_opt_int(const void *value)
{
	int v;

	memcpy(&v, value, sizeof(v));
	return v;
}

static inline int
weir_opt_put(void *value, int v)
{
	memcpy(value, &v, sizeof(v));
	return 0;
}

static inline bool
weir_opt_is_in(int v, int min, int max)
{
	return v >= min && v <= max;
}

/** The connection, if there is one, is to go by the changed options. @return 0 */
int weir_opt_changed(struct weir_stack *st, struct weir_sock *s);

/** Options that are bits of weir_sock.switches: any value but 0 is on. */
int weir_opt_get_switch(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);
int weir_opt_set_switch(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value);

#define WEIR_OPT_SWITCH(name, kind, bit)                                                     \
	{                                                                                    \
		name, kind, sizeof(int), weir_opt_get_switch, weir_opt_set_switch, bit, NULL \
	}

#define WEIR_OPT_ROW(name, kind, get, set)              \
	{                                               \
		name, kind, sizeof(int), get, set, 0, NULL \
	}

#define WEIR_OPT_GET(fn)     \
	static int get_##fn( \
		struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value)
#define WEIR_OPT_SET(fn)                                                                          \
	static int set_##fn(struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, \
		const void *value)

/** get_fn and set_fn of an int option that is a field of opts. */
#define WEIR_OPT_INT(fn, field, type, min, max)                            \
	WEIR_OPT_GET(fn)                                                   \
	{                                                                  \
		return weir_opt_put(value, (int)weir_peek(s->opts.field)); \
	}                                                                  \
	WEIR_OPT_SET(fn)                                                   \
	{                                                                  \
		if (!weir_opt_is_in(weir_opt_int(value), min, max))        \
			return -EINVAL;                                    \
		weir_poke(s->opts.field, (type)weir_opt_int(value));       \
		return weir_opt_changed(st, s);                            \
	}

/** Likewise of a bool in opts: any value but 0 is on. */
#define WEIR_OPT_BOOL(fn, field)                                      \
	WEIR_OPT_GET(fn)                                              \
	{                                                             \
		return weir_opt_put(value, weir_peek(s->opts.field)); \
	}                                                             \
	WEIR_OPT_SET(fn)                                              \
	{                                                             \
		weir_poke(s->opts.field, weir_opt_int(value) != 0);   \
		return weir_opt_changed(st, s);                       \
	}

/** And of one in the options of datagrams. */
#define WEIR_OPT_DGRAM_BOOL(fn, field)                                       \
	WEIR_OPT_GET(fn)                                                     \
	{                                                                    \
		return weir_opt_put(value, weir_peek(s->dgram->opts.field)); \
	}                                                                    \
	WEIR_OPT_SET(fn)                                                     \
	{                                                                    \
		weir_poke(s->dgram->opts.field, weir_opt_int(value) != 0);   \
		return 0;                                                    \
	}

/** Bytes of struct tcp_info, whose header does not go with netinet/tcp.h. */
#define WEIR_OPT_INFO_LEN 280

/** Of uint32_t that SO_MEMINFO has: SK_MEMINFO_VARS. */
#define WEIR_OPT_MEMINFO_LEN (9 * sizeof(uint32_t))

/** opt_keys.c: change the keys that s signs by. */
int weir_opt_change_keys(
	struct weir_stack *st, struct weir_sock *s, const struct weir_tcp_keys_update *u);

/** opt_md5.c: TCP_MD5SIG and TCP_MD5SIG_EXT. */
int weir_opt_set_md5(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value);

/** opt_ao.c: see weir_tcp_ao.h. */
int weir_opt_add_ao(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value);
int weir_opt_del_ao(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value);
int weir_opt_set_ao_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, const void *value);
int weir_opt_get_ao_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);

/** opt_info.c: struct tcp_info; what the algorithm tells; SO_MEMINFO. */
int weir_opt_get_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);
int weir_opt_get_cc_info(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);
int weir_opt_get_meminfo(
	struct weir_stack *st, struct weir_sock *s, const struct weir_opt *o, void *value);

#endif
