/* SPDX-License-Identifier: BSD-3-Clause */
#include "ip_rig.h"

static struct ip_rig t;
static struct weir_dst dst;

static int
route(const char *to)
{
	const struct weir_addr a = ip_addr(to);

	return weir_ip_route(&t.ip, &a, -1, &dst);
}

static void
expect_hop(const char *to, const char *hop)
{
	const struct weir_addr a = ip_addr(hop);

	CU_ASSERT_EQUAL(route(to), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&dst.next_hop, &a));
	CU_ASSERT_FALSE(dst.is_local);
}

static int
add(const char *net, const char *gateway)
{
	struct weir_addr n, g = ip_addr(gateway);
	unsigned int len;

	CU_ASSERT_EQUAL(weir_addr_parse_prefix(net, &n, &len), 0);
	return weir_ip_set_route(&t.ip, &n, len, &g, 0);
}

static int
del(const char *net)
{
	struct weir_addr n;
	unsigned int len;

	CU_ASSERT_EQUAL(weir_addr_parse_prefix(net, &n, &len), 0);
	return weir_ip_del_route(&t.ip, &n, len, WEIR_METRIC_ANY);
}

static void
open_rig(void)
{
	ip_open(&t, &(struct rig_conf){0}, NULL, false);
}

static void
own_networks_are_on_link(void)
{
	open_rig();
	expect_hop("10.0.0.77", "10.0.0.77");
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us4));
	CU_ASSERT_EQUAL(dst.mtu, 1500);
	CU_ASSERT_PTR_EQUAL(dst.ifc, &t.r.ifc);
	expect_hop("2001:db8::77", "2001:db8::77");
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us6));
	CU_ASSERT_EQUAL(route("10.0.1.1"), -ENETUNREACH);
	CU_ASSERT_EQUAL(route("2001:db8:1::1"), -ENETUNREACH);
	CU_ASSERT_EQUAL(route("0.0.0.0"), -ENETUNREACH);
	CU_ASSERT_EQUAL(route("::"), -ENETUNREACH);
	CU_ASSERT_EQUAL(t.ip.stats.route_misses, 2);
	ip_close(&t);
}

static void
longest_prefix_wins(void)
{
	open_rig();
	CU_ASSERT_EQUAL(add("0.0.0.0/0", "10.0.0.250"), 0);
	CU_ASSERT_EQUAL(add("192.168.0.0/16", "10.0.0.251"), 0);
	CU_ASSERT_EQUAL(add("192.168.1.0/24", "10.0.0.252"), 0);
	CU_ASSERT_EQUAL(add("192.168.1.7/32", "0.0.0.0"), 0);
	expect_hop("1.1.1.1", "10.0.0.250");
	expect_hop("192.168.2.1", "10.0.0.251");
	expect_hop("192.168.1.1", "10.0.0.252");
	expect_hop("192.168.1.7", "192.168.1.7");
	expect_hop("10.0.0.9", "10.0.0.9");
	CU_ASSERT_EQUAL(add("::/0", "2001:db8::fe"), 0);
	CU_ASSERT_EQUAL(add("2001:db8:8000::/33", "fe80::1"), 0);
	expect_hop("2a00::1", "2001:db8::fe");
	expect_hop("2001:db8:8001::1", "fe80::1");
	ip_close(&t);
}

static void
routes_are_replaced_and_deleted(void)
{
	open_rig();
	CU_ASSERT_EQUAL(add("192.168.0.0/16", "10.0.0.251"), 0);
	expect_hop("192.168.2.1", "10.0.0.251");
	CU_ASSERT_EQUAL(add("192.168.99.99/16", "10.0.0.253"), 0); /* host bits do not matter */
	expect_hop("192.168.2.1", "10.0.0.253");
	CU_ASSERT_EQUAL(del("192.168.0.0/16"), 0);
	CU_ASSERT_EQUAL(route("192.168.2.1"), -ENETUNREACH);
	CU_ASSERT_EQUAL(del("192.168.0.0/16"), -ESRCH);
	ip_close(&t);
}

static void
impossible_routes_are_refused(void)
{
	const struct weir_addr net = ip_addr("192.168.0.0"), gw = ip_addr("10.0.0.251"),
			       any = {{{0}}};

	open_rig();
	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 16, &gw, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 129, &gw, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 112, &gw, 1), -EINVAL);
	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 112, &us6, 0), -EINVAL);
	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 112, &any, 0), 0);
	ip_close(&t);
}

static void
table_of_routes_is_bounded(void)
{
	struct weir_addr net = ip_addr("172.16.0.0"), gw = ip_addr("10.0.0.251");

	open_rig();
	for (unsigned int i = 0; i < WEIR_ROUTES_MAX; i++) {
		net.b[14] = (uint8_t)(i >> 8);
		net.b[15] = (uint8_t)i;
		CU_ASSERT_EQUAL_FATAL(weir_ip_set_route(&t.ip, &net, 128, &gw, 0), 0);
	}
	net.b[13] = 17;
	CU_ASSERT_EQUAL(weir_ip_set_route(&t.ip, &net, 128, &gw, 0), -ENOSPC);
	expect_hop("172.16.3.255", "10.0.0.251");
	expect_hop("10.0.0.9", "10.0.0.9"); /* own networks found room as well */
	ip_close(&t);
}

static void
own_addresses_are_local(void)
{
	unsigned int ifindex = 99;
	struct weir_addr a;

	open_rig();
	CU_ASSERT_EQUAL(route("10.0.0.1"), 0);
	CU_ASSERT_TRUE(dst.is_local);
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us4));
	CU_ASSERT_EQUAL(route("127.0.0.1"), 0);
	CU_ASSERT_TRUE(dst.is_local);
	CU_ASSERT_EQUAL(route("::1"), 0);
	CU_ASSERT_TRUE(dst.is_local);
	CU_ASSERT_TRUE(weir_ip_is_local(&t.ip, &us6, &ifindex));
	CU_ASSERT_EQUAL(ifindex, 0);
	CU_ASSERT_FALSE(weir_ip_is_local(&t.ip, &peer6, NULL));
	a = ip_addr("10.0.0.255");
	CU_ASSERT_FALSE(weir_ip_is_local(&t.ip, &a, NULL));
	ip_close(&t);
}

static void
groups_and_link_local_go_by_the_interface(void)
{
	open_rig();
	expect_hop("255.255.255.255", "255.255.255.255");
	expect_hop("10.0.0.255", "10.0.0.255");
	expect_hop("239.1.1.1", "239.1.1.1");
	expect_hop("ff02::5", "ff02::5");
	CU_ASSERT_TRUE(weir_addr_is_link_local(&dst.src));
	expect_hop("ff0e::5", "ff0e::5");
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us6)); /* RFC 6724: of the group's scope */
	expect_hop("fe80::5", "fe80::5");
	CU_ASSERT_TRUE(weir_addr_is_link_local(&dst.src));
	ip_close(&t);
}

static void
source_is_of_the_next_hops_network(void)
{
	const struct weir_addr second = ip_addr("10.7.0.1"), gw = ip_addr("10.7.0.254");

	open_rig();
	CU_ASSERT_EQUAL(weir_iface_add_addr(&t.r.ifc, &second, 120, false), 0);
	CU_ASSERT_EQUAL(add("192.168.0.0/16", "10.7.0.254"), 0);
	CU_ASSERT_EQUAL(route("192.168.0.1"), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &second));
	CU_ASSERT_TRUE(weir_addr_eq(&dst.next_hop, &gw));
	CU_ASSERT_EQUAL(route("10.0.0.3"), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us4));
	rig_drain(&t.r);
	ip_close(&t);
}

/* RFC 6724 5, rule 3 before rule 8. */
static void
preferred_source_beats_deprecated(void)
{
	const struct weir_addr second = ip_addr("2001:db8:5::1");

	open_rig();
	CU_ASSERT_EQUAL(weir_iface_add_addr(&t.r.ifc, &second, 64, false), 0);
	CU_ASSERT_EQUAL(route("2001:db8::9"), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us6));
	weir_iface_addr(&t.r.ifc, &us6)->state = WEIR_IFADDR_DEPRECATED;
	CU_ASSERT_EQUAL(route("2001:db8::9"), 0);
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &second));
	ip_close(&t);
}

static void
no_source_address_is_an_error(void)
{
	ip_open(&t, &(struct rig_conf){.no_addrs = true}, NULL, false);
	CU_ASSERT_EQUAL(add("10.0.0.0/8", "0.0.0.0"), 0);
	CU_ASSERT_EQUAL(route("10.0.0.9"), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(route("ff02::1"), 0); /* link-local is there */
	ip_close(&t);
}

static void
cached_routes_go_stale_with_any_change(void)
{
	const struct weir_addr a = ip_addr("10.8.0.1");
	struct weir_dst empty = {0};

	open_rig();
	CU_ASSERT_FALSE(weir_dst_is_fresh(&t.ip, &empty));
	CU_ASSERT_EQUAL(route("10.0.0.2"), 0);
	CU_ASSERT_TRUE(weir_dst_is_fresh(&t.ip, &dst));
	CU_ASSERT_EQUAL(add("0.0.0.0/0", "10.0.0.250"), 0);
	CU_ASSERT_FALSE(weir_dst_is_fresh(&t.ip, &dst));
	CU_ASSERT_EQUAL(route("10.0.0.2"), 0);
	CU_ASSERT_TRUE(weir_dst_is_fresh(&t.ip, &dst));
	CU_ASSERT_EQUAL(weir_iface_add_addr(&t.r.ifc, &a, 120, false), 0);
	CU_ASSERT_FALSE(weir_dst_is_fresh(&t.ip, &dst));
	expect_hop("10.8.0.9", "10.8.0.9");
	CU_ASSERT_EQUAL(weir_iface_del_addr(&t.r.ifc, &a), 0);
	expect_hop("10.8.0.9", "10.0.0.250");
	rig_drain(&t.r);
	ip_close(&t);
}

static void
learnt_router_is_the_default_unless_one_is_configured(void)
{
	open_rig();
	t.r.ifc.router = ip_addr("fe80::99");
	t.r.ifc.route_change++;
	expect_hop("2a00::1", "fe80::99");
	CU_ASSERT_TRUE(weir_addr_eq(&dst.src, &us6));
	CU_ASSERT_EQUAL(add("::/0", "2001:db8::fe"), 0);
	expect_hop("2a00::1", "2001:db8::fe");
	CU_ASSERT_EQUAL(del("::/0"), 0);
	expect_hop("2a00::1", "fe80::99");
	ip_close(&t);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(own_networks_are_on_link),
		UNIT(longest_prefix_wins),
		UNIT(routes_are_replaced_and_deleted),
		UNIT(impossible_routes_are_refused),
		UNIT(table_of_routes_is_bounded),
		UNIT(own_addresses_are_local),
		UNIT(groups_and_link_local_go_by_the_interface),
		UNIT(source_is_of_the_next_hops_network),
		UNIT(preferred_source_beats_deprecated),
		UNIT(no_source_address_is_an_error),
		UNIT(cached_routes_go_stale_with_any_change),
		UNIT(learnt_router_is_the_default_unless_one_is_configured),
		{0},
	};

	return unit_main("route", tests, true);
}
