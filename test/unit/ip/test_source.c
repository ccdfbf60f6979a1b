/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 6724 5: which of several addresses a packet leaves with. */
#include "ip_rig.h"

static struct ip_rig t;

static void
open_with(const char *const *addrs, unsigned int n)
{
	ip_open(&t, &(struct rig_conf){0}, NULL, false);
	for (unsigned int i = 0; i < n; i++) {
		const struct weir_addr a = ip_addr(addrs[i]);

		CU_ASSERT_EQUAL_FATAL(weir_iface_add_addr(&t.r.ifc, &a, 64, false), 0);
	}
}

static void
leaves_from(const char *to, const char *from)
{
	const struct weir_addr dst = ip_addr(to), src = ip_addr(from);
	const struct weir_addr net = {{{0}}}, gateway = ip_addr("2001:db8::fe");
	struct weir_dst way;

	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 0, &gateway, 0), 0);
	CU_ASSERT_EQUAL_FATAL(weir_ip_route(&t.ip, &dst, 0, &way), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&way.src, &src));
}

static void
done(void)
{
	rig_drain(&t.r);
	ip_close(&t);
}

static void
scope_fits_the_destination(void)
{
	static const char *const addrs[] = {"2001:db8:1::1", "fe80::1234"};
	const struct weir_addr near = ip_addr("fe80::77"), all = ip_addr("ff02::5");
	struct weir_dst way;

	open_with(addrs, 2);
	CU_ASSERT_EQUAL(weir_ip_route(&t.ip, &near, 0, &way), 0);
	CU_ASSERT_TRUE(weir_addr_is_link_local(&way.src));
	CU_ASSERT_EQUAL(weir_ip_route(&t.ip, &all, 0, &way), 0);
	CU_ASSERT_TRUE(weir_addr_is_link_local(&way.src));
	leaves_from("2001:db8:1::2", "2001:db8:1::1");
	done();
}

static void
label_of_the_destination_wins(void)
{
	static const char *const addrs[] = {"fd00:1::1", "2002:c000:201::1"};

	open_with(addrs, 2);
	leaves_from("fd99::1", "fd00:1::1");
	leaves_from("2002:c000:202::9", "2002:c000:201::1");
	leaves_from("2a00::1", "2001:db8::1");
	done();
}

static void
longest_prefix_wins(void)
{
	static const char *const addrs[] = {"2001:db8:1::1", "2001:db8:ffff::1"};

	open_with(addrs, 2);
	leaves_from("2001:db8:1:5::1", "2001:db8:1::1");
	leaves_from("2001:db8:fffe::1", "2001:db8:ffff::1");
	done();
}

static void
prefix_of_the_next_hop_wins(void)
{
	static const char *const addrs[] = {"2001:db8:5::1", "2001:db8:6::1"};

	open_with(addrs, 2);
	t.r.ifc.addrs[t.r.ifc.n_addrs - 2].is_auto = true;
	t.r.ifc.addrs[t.r.ifc.n_addrs - 2].router = ip_addr("2001:db8::fe");
	leaves_from("2001:db8:6:1::9", "2001:db8:5::1"); /* though rule 8 would say otherwise */
	done();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(scope_fits_the_destination),
		UNIT(label_of_the_destination_wins),
		UNIT(longest_prefix_wins),
		UNIT(prefix_of_the_next_hop_wins),
		{0},
	};

	return unit_main("source", tests, true);
}
