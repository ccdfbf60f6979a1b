/* SPDX-License-Identifier: BSD-3-Clause */
/* Every number that an option can have, on every kind of socket: what is in the table is known,
 * everything else is refused. */
#include <netinet/tcp.h>

#include "opt_priv.h"
#include "pair.h"

#define NUMBERS 256

static const int all_levels[] = {
	SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP, SOL_RAW, IPPROTO_ICMPV6};

static const struct {
	int domain, type, protocol;
	enum weir_opt_kind kinds[3]; /* of options that it has, beside WEIR_OPT_ANY */
} sockets[] = {
	{AF_INET, SOCK_STREAM, 0, {WEIR_OPT_TCP}},
	{AF_INET6, SOCK_STREAM, 0, {WEIR_OPT_TCP}},
	{AF_INET, SOCK_DGRAM, 0, {WEIR_OPT_UDP, WEIR_OPT_DGRAM}},
	{AF_INET6, SOCK_DGRAM, 0, {WEIR_OPT_UDP, WEIR_OPT_DGRAM}},
	{AF_INET, SOCK_RAW, IPPROTO_ICMP, {WEIR_OPT_RAW, WEIR_OPT_DGRAM}},
	{AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, {WEIR_OPT_RAW, WEIR_OPT_DGRAM}},
};

/* The first row of that number, whoever it is for */
static const struct weir_opt *
row_of(int level, int number)
{
	for (const struct weir_opt_level *l = weir_opt_levels; l->table != NULL; l++)
		for (const struct weir_opt *o = l->table; l->level == level && o->size != 0; o++)
			if (o->name == number)
				return o;
	return NULL;
}

static bool
is_for(const struct weir_opt *o, unsigned int i, int level)
{
	if (level == IPPROTO_IPV6 && sockets[i].domain != AF_INET6)
		return false;
	for (unsigned int k = 0; k < RTE_DIM(sockets[i].kinds); k++)
		if (o->kind == WEIR_OPT_ANY || o->kind == sockets[i].kinds[k])
			return true;
	return false;
}

/* ENOPROTOOPT; of levels that an IPv4 socket does not have Linux says EOPNOTSUPP when it is asked.
 */
static bool
is_refusal(int rc)
{
	return rc == -ENOPROTOOPT || rc == -EOPNOTSUPP;
}

static void
walk_level(struct weir_stack *st, int fd, unsigned int i, int level)
{
	static uint8_t value[4096];

	for (int number = 0; number < NUMBERS; number++) {
		const struct weir_opt *o = row_of(level, number);
		const bool has = o != NULL && is_for(o, i, level);
		socklen_t len = sizeof(value);
		int rc;

		memset(value, 0, sizeof(value));
		rc = weir_setsockopt(st, fd, level, number, value, sizeof(value));
		if (has && weir_opt_can_set(o))
			CU_ASSERT(rc != -ENOPROTOOPT || number == IPV6_CHECKSUM)
		else
			CU_ASSERT_EQUAL(rc, -ENOPROTOOPT);
		rc = weir_getsockopt(st, fd, level, number, value, &len);
		if (has && weir_opt_can_get(o))
			CU_ASSERT(rc != -ENOPROTOOPT)
		else
			CU_ASSERT(is_refusal(rc));
		if (level == SOL_SOCKET || level == IPPROTO_IP)
			CU_ASSERT_NOT_EQUAL(rc, -EOPNOTSUPP);
	}
}

static void
every_number_is_in_the_table_or_refused(void)
{
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 1});
	for (unsigned int i = 0; i < RTE_DIM(sockets); i++)
		for (unsigned int k = 0; k < RTE_DIM(all_levels); k++) {
			const int fd = weir_socket(
				p.a, sockets[i].domain, sockets[i].type, sockets[i].protocol);

			CU_ASSERT(fd >= 0);
			walk_level(p.a, fd, i, all_levels[k]);
			weir_close(p.a, fd);
		}
	pair_close(&p);
}

/* Values at the ends of an int and of every length: an error or success, and nothing else breaks.
 */
static void
values_and_lengths_at_their_limits_are_taken_or_refused(void)
{
	static const int values[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
	static uint8_t room[4096];
	struct pair p;

	pair_open(&p, &(struct pair_conf){.seed = 2});
	for (unsigned int i = 0; i < RTE_DIM(sockets); i++) {
		const int fd =
			weir_socket(p.a, sockets[i].domain, sockets[i].type, sockets[i].protocol);

		for (const struct weir_opt_level *l = weir_opt_levels; l->table != NULL; l++)
			for (const struct weir_opt *o = l->table; o->size != 0; o++)
				for (unsigned int v = 0; v < RTE_DIM(values) * 5; v++) {
					const socklen_t lens[] = {0, 1, 4, o->size - 1u, o->size};
					socklen_t len = lens[v % 5];

					memset(room, values[v / 5] & 0xff, sizeof(room));
					memcpy(room, &values[v / 5], sizeof(int));
					CU_ASSERT(weir_setsockopt(p.a, fd, l->level, o->name, room,
							  len) <= 0);
					CU_ASSERT(weir_getsockopt(p.a, fd, l->level, o->name, room,
							  &len) <= 0);
				}
		CU_ASSERT_EQUAL(weir_setsockopt(p.a, fd, SOL_SOCKET, SO_LINGER, &(struct linger){0},
					sizeof(struct linger)),
			0);
		weir_close(p.a, fd);
	}
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(every_number_is_in_the_table_or_refused),
		UNIT(values_and_lengths_at_their_limits_are_taken_or_refused),
		{0},
	};

	return unit_main("api_opt_walk", tests, true);
}
