/* SPDX-License-Identifier: BSD-3-Clause */
#include "net_rig.h"

#include <errno.h>

static struct rig r;

static struct weir_addr
addr(const char *text)
{
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(text, &a), 0);
	return a;
}

static int
try_conf(const struct weir_iface_conf *c)
{
	static struct weir_iface ifc;
	const int rc = weir_iface_init(&ifc, &r.core, c);

	if (rc == 0)
		weir_iface_fini(&ifc);
	return rc;
}

static void
bad_configurations_are_refused(void)
{
	struct weir_port *p = &r.port.port;

	rig_open(&r, &(struct rig_conf){0});
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p}), 0);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p, .mtu = 1501}), -EINVAL);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p, .mtu = 67}), -EINVAL);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p, .mtu = 576}), 0);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p, .mtu = 576, .is_ipv6 = true}),
		-EINVAL);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p, .vlan = 4095}), -EINVAL);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){.port = p, .index = 16}), -EINVAL);
	CU_ASSERT_EQUAL(try_conf(&(struct weir_iface_conf){0}), -EINVAL);
	rig_close(&r);
}

static int
try_addr(const char *text, unsigned int len)
{
	const struct weir_addr a = addr(text);

	return weir_iface_add_addr(&r.ifc, &a, len, false);
}

static void
addresses_that_no_host_can_have_are_refused(void)
{
	rig_open(&r, &(struct rig_conf){0});
	CU_ASSERT_EQUAL(try_addr("0.0.0.0", 120), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("127.0.0.1", 104), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("224.0.0.1", 100), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("255.255.255.255", 128), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("10.1.0.0", 120), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("10.1.0.255", 120), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("10.1.0.1", 24), -EINVAL); /* counts from the 16 bytes */
	CU_ASSERT_EQUAL(try_addr("10.1.0.1", 129), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("::", 64), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("::1", 128), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("ff02::5", 64), -EINVAL);
	CU_ASSERT_EQUAL(try_addr("10.0.0.1", 120), -EEXIST);
	CU_ASSERT_EQUAL(try_addr("10.1.0.0", 127), 0); /* RFC 3021: both ends of a /31 are hosts */
	CU_ASSERT_EQUAL(try_addr("10.2.0.0", 128), 0);
	rig_drain(&r);
	rig_close(&r);
}

static void
table_of_addresses_is_bounded_and_reusable(void)
{
	struct weir_addr a = addr("2001:db8:1::1");

	rig_open(&r, &(struct rig_conf){0});
	while (r.ifc.n_addrs < WEIR_IFADDRS_MAX) {
		a.b[15]++;
		CU_ASSERT_EQUAL_FATAL(weir_iface_add_addr(&r.ifc, &a, 64, false), 0);
	}
	a.b[15]++;
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r.ifc, &a, 64, false), -ENOSPC);
	CU_ASSERT_EQUAL(weir_iface_del_addr(&r.ifc, &us4), 0);
	CU_ASSERT_EQUAL(weir_iface_del_addr(&r.ifc, &us4), -EADDRNOTAVAIL);
	CU_ASSERT_PTR_NULL(weir_iface_addr(&r.ifc, &us4));
	CU_ASSERT_EQUAL(weir_iface_add_addr(&r.ifc, &a, 64, false), 0);
	rig_close(&r);
}

static void
changes_of_addresses_are_noticed(void)
{
	uint64_t before;

	rig_open(&r, &(struct rig_conf){0});
	before = r.ifc.route_change;
	CU_ASSERT_EQUAL(try_addr("10.3.0.1", 120), 0);
	CU_ASSERT_TRUE(r.ifc.route_change > before);
	before = r.ifc.route_change;
	CU_ASSERT_EQUAL(weir_iface_del_addr(&r.ifc, &us4), 0);
	CU_ASSERT_TRUE(r.ifc.route_change > before);
	rig_drain(&r);
	rig_close(&r);
}

static void
directed_broadcast_is_that_of_our_networks(void)
{
	struct weir_addr a;

	rig_open(&r, &(struct rig_conf){0});
	a = addr("10.0.0.255");
	CU_ASSERT_TRUE(weir_iface_is_directed_broadcast(&r.ifc, &a));
	a = addr("10.0.0.254");
	CU_ASSERT_FALSE(weir_iface_is_directed_broadcast(&r.ifc, &a));
	a = addr("10.0.1.255");
	CU_ASSERT_FALSE(weir_iface_is_directed_broadcast(&r.ifc, &a));
	CU_ASSERT_EQUAL(try_addr("10.9.0.4", 127), 0);
	a = addr("10.9.0.5");
	CU_ASSERT_FALSE(weir_iface_is_directed_broadcast(&r.ifc, &a));
	rig_drain(&r);
	rig_close(&r);
}

static bool
port_hears(const char *mac)
{
	for (unsigned int i = 0; i < r.port.n_mcast; i++) {
		if (memcmp(&r.port.mcast[i], mac, 6) == 0)
			return true;
	}
	return false;
}

static void
port_hears_the_groups_of_every_host(void)
{
	rig_open(&r, &(struct rig_conf){0});
	CU_ASSERT_TRUE(port_hears("\x33\x33\0\0\0\1"));
	CU_ASSERT_TRUE(port_hears("\x33\x33\xff\0\0\1"));
	CU_ASSERT_TRUE(port_hears("\1\0\x5e\0\0\1"));
	CU_ASSERT_EQUAL(r.port.n_mcast, 3);
	CU_ASSERT_EQUAL(try_addr("2001:db8::aa:bbcc", 64), 0);
	CU_ASSERT_TRUE(port_hears("\x33\x33\xff\xaa\xbb\xcc"));
	rig_close(&r);
}

static void
groups_are_joined_and_left_by_count(void)
{
	const struct weir_addr g = addr("239.1.2.3"), u = addr("10.0.0.9");

	rig_open(&r, &(struct rig_conf){0});
	CU_ASSERT_FALSE(weir_iface_has_group(&r.ifc, &g));
	CU_ASSERT_EQUAL(weir_iface_join(&r.ifc, &u), -EINVAL);
	CU_ASSERT_EQUAL(weir_iface_join(&r.ifc, &g), 0);
	CU_ASSERT_EQUAL(weir_iface_join(&r.ifc, &g), 0);
	CU_ASSERT_TRUE(port_hears("\1\0\x5e\1\2\3"));
	CU_ASSERT_EQUAL(weir_iface_leave(&r.ifc, &g), 0);
	CU_ASSERT_TRUE(weir_iface_has_group(&r.ifc, &g));
	CU_ASSERT_EQUAL(weir_iface_leave(&r.ifc, &g), 0);
	CU_ASSERT_FALSE(weir_iface_has_group(&r.ifc, &g));
	CU_ASSERT_FALSE(port_hears("\1\0\x5e\1\2\3"));
	CU_ASSERT_EQUAL(weir_iface_leave(&r.ifc, &g), -EADDRNOTAVAIL);
	rig_close(&r);
}

static void
every_host_is_in_its_own_groups(void)
{
	struct weir_addr g;

	rig_open(&r, &(struct rig_conf){0});
	g = addr("224.0.0.1");
	CU_ASSERT_TRUE(weir_iface_has_group(&r.ifc, &g));
	g = addr("ff02::1");
	CU_ASSERT_TRUE(weir_iface_has_group(&r.ifc, &g));
	g = addr("ff02::1:ff00:1");
	CU_ASSERT_TRUE(weir_iface_has_group(&r.ifc, &g));
	g = addr("ff02::1:ff00:2");
	CU_ASSERT_FALSE(weir_iface_has_group(&r.ifc, &g));
	g = addr("ff02::2");
	CU_ASSERT_FALSE(weir_iface_has_group(&r.ifc, &g));
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(bad_configurations_are_refused),
		UNIT(addresses_that_no_host_can_have_are_refused),
		UNIT(table_of_addresses_is_bounded_and_reusable),
		UNIT(changes_of_addresses_are_noticed),
		UNIT(directed_broadcast_is_that_of_our_networks),
		UNIT(port_hears_the_groups_of_every_host),
		UNIT(groups_are_joined_and_left_by_count),
		UNIT(every_host_is_in_its_own_groups),
		{0},
	};

	return unit_main("iface", tests, true);
}
