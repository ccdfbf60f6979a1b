/* SPDX-License-Identifier: BSD-3-Clause */
/* Hellos of OSPFv2: bytes, and what they make of neighbours. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "neighbors.h"
#include "unit.h"

#define ID(n) htonl(0x0a000000 + (n))
#define S     1000000ull

static struct ospf_hello
a_hello(uint32_t id)
{
	return (struct ospf_hello){.router_id = ID(id),
		.mask = htonl(0xffffff00),
		.dead_s = 40,
		.hello_s = 10,
		.options = OSPF_OPTION_E,
		.priority = 1};
}

/* In memory of exactly that size: a sanitizer sees what is read beyond. */
static int
parse(struct ospf_hello *h, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	int rc;

	memcpy(copy, bytes, len);
	rc = ospf_hello_parse(h, copy, len);
	free(copy);
	return rc;
}

static void
what_is_built_is_parsed_to_the_same(void)
{
	struct ospf_hello h = a_hello(1), back;
	uint8_t buf[OSPF_HELLO_MAX];

	h.dr = ID(7);
	h.bdr = ID(8);
	h.n = OSPF_NEIGHBORS_MAX;
	for (uint32_t i = 0; i < h.n; i++)
		h.neighbors[i] = ID(100 + i);
	CU_ASSERT_EQUAL(ospf_hello_build(&h, buf), OSPF_HELLO_MAX);
	CU_ASSERT_EQUAL(parse(&back, buf, sizeof(buf)), 0);
	CU_ASSERT_EQUAL(memcmp(&back, &h, sizeof(h)), 0);
}

/* RFC 2328 A.3.1, A.3.2 */
static void
bytes_lie_where_the_rfc_has_them(void)
{
	static const uint8_t wanted[OSPF_HELLO_HLEN] = {2, 1, 0, 44, 10, 0, 0, 1, 0, 0, 0, 0, 0xf2,
		0x9d, 0, 0, [24] = 255, 255, 255, 0, 0, 10, 2, 1, 0, 0, 0, 40};
	const struct ospf_hello h = a_hello(1);
	uint8_t buf[OSPF_HELLO_MAX];

	CU_ASSERT_EQUAL(ospf_hello_build(&h, buf), sizeof(wanted));
	CU_ASSERT_EQUAL(memcmp(buf, wanted, sizeof(wanted)), 0);
}

static void
a_changed_or_cut_packet_is_refused(void)
{
	struct ospf_hello h = a_hello(1), back;
	uint8_t buf[OSPF_HELLO_MAX];
	size_t len;

	h.n = 2;
	len = ospf_hello_build(&h, buf);
	for (size_t i = 0; i < len; i++) {
		CU_ASSERT_EQUAL(parse(&back, buf, i), -EBADMSG);
		buf[i] ^= 0x10;
		CU_ASSERT_EQUAL(parse(&back, buf, len) == 0, i >= 16 && i < 24);
		buf[i] ^= 0x10;
	}
	buf[2] = 0xff; /* longer than what came */
	CU_ASSERT_EQUAL(parse(&back, buf, len), -EBADMSG);
}

static void
other_packets_and_authentication_are_not_for_us(void)
{
	static const uint8_t places[] = {0, 1, 15}; /* version, type, authentication */
	const struct ospf_hello h = a_hello(1);
	struct ospf_hello back;
	uint8_t buf[OSPF_HELLO_MAX];

	for (unsigned int i = 0; i < sizeof(places); i++) {
		const size_t len = ospf_hello_build(&h, buf);

		buf[places[i]]++;
		CU_ASSERT_EQUAL(parse(&back, buf, len), -EPROTONOSUPPORT);
	}
}

static void
who_lists_us_is_two_way(void)
{
	struct ospf_neighbors ns = {.us = a_hello(1)};
	struct ospf_hello h = a_hello(2);
	const struct ospf_neighbor *n;
	const char *why;

	n = ospf_neighbors_hear(&ns, &h, ID(99), 1, &why);
	CU_ASSERT_EQUAL_FATAL(n != NULL, true);
	CU_ASSERT_EQUAL(n->state, OSPF_INIT);
	CU_ASSERT_EQUAL(n->addr, ID(99));
	ospf_neighbors_list(&ns);
	CU_ASSERT_EQUAL(ns.us.n, 1);
	CU_ASSERT_EQUAL(ns.us.neighbors[0], ID(2));
	h.neighbors[h.n++] = ID(3);
	h.neighbors[h.n++] = ID(1);
	CU_ASSERT_EQUAL(ospf_neighbors_hear(&ns, &h, ID(99), 2, &why)->state, OSPF_TWO_WAY);
	CU_ASSERT_EQUAL(ospf_neighbors_two_way(&ns), 1);
	h.n = 1; /* it has forgotten us: RFC 2328 10.5, 1-WayReceived */
	CU_ASSERT_EQUAL(ospf_neighbors_hear(&ns, &h, ID(99), 3, &why)->state, OSPF_INIT);
	CU_ASSERT_EQUAL(ospf_neighbors_two_way(&ns), 0);
	CU_ASSERT_EQUAL(ns.n, 1);
}

static void
who_differs_is_no_neighbour(void)
{
	struct ospf_neighbors ns = {.us = a_hello(1)};
	const char *why;

	for (int i = 0; i < 6; i++) {
		struct ospf_hello h = a_hello(2);

		h.area += i == 0;
		h.mask += i == 1;
		h.hello_s += i == 2;
		h.dead_s += i == 3;
		h.options ^= i == 4 ? OSPF_OPTION_E : 0;
		h.router_id = i == 5 ? ID(1) : h.router_id;
		CU_ASSERT_EQUAL(ospf_neighbors_hear(&ns, &h, ID(99), 1, &why), NULL);
		CU_ASSERT_EQUAL(why != NULL, i < 5); /* our own is no reason to complain */
	}
	CU_ASSERT_EQUAL(ns.n, 0);
}

static void
silence_is_the_end(void)
{
	struct ospf_neighbors ns = {.us = a_hello(1)};
	struct ospf_neighbor gone;
	const char *why;

	for (uint32_t i = 0; i < 3; i++) {
		const struct ospf_hello h = a_hello(2 + i);

		ospf_neighbors_hear(&ns, &h, ID(99), i * S, &why);
	}
	CU_ASSERT_EQUAL(ospf_neighbors_expire(&ns, 40 * S - 1, &gone), false);
	CU_ASSERT_EQUAL(ospf_neighbors_expire(&ns, 40 * S, &gone), true);
	CU_ASSERT_EQUAL(gone.router_id, ID(2));
	CU_ASSERT_EQUAL(gone.state, OSPF_DOWN);
	CU_ASSERT_EQUAL(ospf_neighbors_expire(&ns, 40 * S, &gone), false);
	CU_ASSERT_EQUAL(ns.n, 2);
}

static void
a_full_table_takes_no_more(void)
{
	struct ospf_neighbors ns = {.us = a_hello(1)};
	const char *why;

	for (uint32_t i = 0; i <= OSPF_NEIGHBORS_MAX; i++) {
		const struct ospf_hello h = a_hello(2 + i);

		CU_ASSERT_EQUAL(ospf_neighbors_hear(&ns, &h, ID(99), 1, &why) != NULL,
			i < OSPF_NEIGHBORS_MAX);
	}
	CU_ASSERT_EQUAL(why != NULL, true);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(what_is_built_is_parsed_to_the_same),
		UNIT(bytes_lie_where_the_rfc_has_them),
		UNIT(a_changed_or_cut_packet_is_refused),
		UNIT(other_packets_and_authentication_are_not_for_us),
		UNIT(who_lists_us_is_two_way),
		UNIT(who_differs_is_no_neighbour),
		UNIT(silence_is_the_end),
		UNIT(a_full_table_takes_no_more),
		{0},
	};

	return unit_main("app_ospf", tests, false);
}
