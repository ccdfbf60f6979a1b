/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, routes and neighbours that change while connections use them (weir_net.h). */
#include "pair.h"

#include <arpa/inet.h>

#include "weir_net.h"

static struct pair p;

static int
run(const char *text)
{
	char err[WEIR_CONF_ERR_MAX];
	const int rc = weir_net_command(p.a, text, err, sizeof(err));

	CU_ASSERT_EQUAL(err[0] == '\0', rc == 0);
	return rc;
}

static void
open_pair(unsigned int workers)
{
	pair_open(&p, &(struct pair_conf){.seed = 1, .workers = workers});
	pair_pass(&p, 10000);
}

/* The way to an address: its next hop as text, "" without. */
static const char *
hop(const char *to, char text[WEIR_ADDR_STRLEN])
{
	struct weir_net_route way;
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(to, &a), 0);
	if (weir_route_get(p.a, a.b, &way) != 0)
		return "";
	a = weir_addr_v6(way.gateway);
	return weir_addr_format(&a, text);
}

static int
error_to(const char *to)
{
	struct weir_net_route way;
	struct weir_addr a;

	CU_ASSERT_EQUAL_FATAL(weir_addr_parse(to, &a), 0);
	return weir_route_get(p.a, a.b, &way);
}

static void
goes_by(const char *to, const char *expected)
{
	char text[WEIR_ADDR_STRLEN];

	CU_ASSERT_STRING_EQUAL(hop(to, text), expected);
}

/* Every worker has it, and the list shows it. */
static void
addresses_come_and_go_on_every_worker(void)
{
	const struct weir_addr a = {.b = {[10] = 0xff, 0xff, 10, 0, 0, 9}};
	struct weir_net_addr list[8];
	int n;

	open_pair(3);
	n = weir_addr_list(p.a, list, RTE_DIM(list));
	CU_ASSERT_EQUAL(run("addr add 10.0.0.9/24 port p0"), 0);
	CU_ASSERT_EQUAL(run("addr add 10.0.0.9/24 port p0"), -EEXIST);
	for (unsigned int w = 0; w < 3; w++)
		CU_ASSERT(weir_ip_is_local(&p.a->workers[w]->ip, &a, NULL));
	CU_ASSERT_EQUAL(weir_addr_list(p.a, list, RTE_DIM(list)), n + 1);
	CU_ASSERT(memcmp(list[n].prefix.addr, a.b, 16) == 0);
	CU_ASSERT_EQUAL(list[n].prefix.len, 120);
	CU_ASSERT_EQUAL(list[n].state, WEIR_NET_ADDR_PREFERRED);
	CU_ASSERT_EQUAL(run("addr del 10.0.0.9 port p0"), 0);
	CU_ASSERT_EQUAL(run("addr del 10.0.0.9 port p0"), -EADDRNOTAVAIL);
	for (unsigned int w = 0; w < 3; w++)
		CU_ASSERT(!weir_ip_is_local(&p.a->workers[w]->ip, &a, NULL));
	pair_close(&p);
}

static void
new_ip6_address_passes_dad_then_ages(void)
{
	struct weir_net_addr list[8];
	int n;

	open_pair(1);
	n = weir_addr_list(p.a, list, RTE_DIM(list));
	CU_ASSERT_EQUAL(run("addr add fd00::9/64 port p0 preferred 5 valid 8"), 0);
	CU_ASSERT_EQUAL(run("addr add fd00::a/64 port p0 nodad preferred 0"), 0);
	weir_addr_list(p.a, list, RTE_DIM(list));
	CU_ASSERT_EQUAL(list[n].state, WEIR_NET_ADDR_TENTATIVE);
	CU_ASSERT_EQUAL(list[n + 1].state, WEIR_NET_ADDR_DEPRECATED);
	pair_pass(&p, 2000000);
	weir_addr_list(p.a, list, RTE_DIM(list));
	CU_ASSERT_EQUAL(list[n].state, WEIR_NET_ADDR_PREFERRED);
	pair_pass(&p, 4000000);
	weir_addr_list(p.a, list, RTE_DIM(list));
	CU_ASSERT_EQUAL(list[n].state, WEIR_NET_ADDR_DEPRECATED);
	pair_pass(&p, 4000000);
	CU_ASSERT_EQUAL(weir_addr_list(p.a, list, RTE_DIM(list)), n + 1);
	pair_close(&p);
}

/* b has it: a does not use it. */
static void
duplicate_address_is_not_used(void)
{
	struct weir_net_addr list[8];
	int n;

	open_pair(2);
	CU_ASSERT_EQUAL(run("addr add fd00::2/64 port p0"), 0);
	pair_pass(&p, 3000000);
	n = weir_addr_list(p.a, list, RTE_DIM(list));
	CU_ASSERT_EQUAL(list[n - 1].state, WEIR_NET_ADDR_DUPLICATE);
	goes_by("fd00::2", "fd00::2");
	pair_close(&p);
}

static void
routes_are_chosen_by_prefix_then_metric(void)
{
	open_pair(2);
	CU_ASSERT_EQUAL(run("route add default via 10.0.0.2 metric 100"), 0);
	CU_ASSERT_EQUAL(run("route add default via 10.0.0.3 metric 50"), 0);
	CU_ASSERT_EQUAL(run("route add default via 10.0.0.4 metric 50"), -EEXIST);
	goes_by("8.8.8.8", "10.0.0.3");
	CU_ASSERT_EQUAL(run("route replace default via 10.0.0.4 metric 50"), 0);
	goes_by("8.8.8.8", "10.0.0.4");
	CU_ASSERT_EQUAL(run("route add 8.8.0.0/16 via 10.0.0.5"), 0);
	goes_by("8.8.8.8", "10.0.0.5");
	goes_by("8.9.8.8", "10.0.0.4");
	CU_ASSERT_EQUAL(run("route del 8.8.0.0/16"), 0);
	CU_ASSERT_EQUAL(run("route del default metric 50"), 0);
	goes_by("8.8.8.8", "10.0.0.2");
	CU_ASSERT_EQUAL(run("route del default metric 50"), -ESRCH);
	CU_ASSERT_EQUAL(run("route add default via 10.9.9.9"), -ENETUNREACH);
	CU_ASSERT_EQUAL(run("route add default via fd00::2"), 0);
	goes_by("2001:db8::1", "fd00::2");
	pair_close(&p);
}

static void
routes_may_refuse(void)
{
	open_pair(1);
	CU_ASSERT_EQUAL(run("route add default via 10.0.0.2"), 0);
	CU_ASSERT_EQUAL(run("route add blackhole 192.0.2.0/24"), 0);
	CU_ASSERT_EQUAL(run("route add unreachable 198.51.100.0/24"), 0);
	CU_ASSERT_EQUAL(run("route add prohibit 203.0.113.0/24"), 0);
	CU_ASSERT_EQUAL(error_to("192.0.2.1"), -EINVAL);
	CU_ASSERT_EQUAL(error_to("198.51.100.1"), -EHOSTUNREACH);
	CU_ASSERT_EQUAL(error_to("203.0.113.1"), -EACCES);
	CU_ASSERT_EQUAL(error_to("203.0.114.1"), 0);
	pair_close(&p);
}

static void
route_mtu_limits_its_packets(void)
{
	struct weir_net_route way;
	const struct weir_addr to = {.b = {[10] = 0xff, 0xff, 8, 8, 8, 8}};

	open_pair(1);
	CU_ASSERT_EQUAL(run("route add 8.0.0.0/8 via 10.0.0.2 mtu 1300"), 0);
	CU_ASSERT_EQUAL(weir_route_get(p.a, to.b, &way), 0);
	CU_ASSERT_EQUAL(way.mtu, 1300);
	CU_ASSERT_EQUAL(run("port set p0 mtu 1280"), 0);
	CU_ASSERT_EQUAL(weir_route_get(p.a, to.b, &way), 0);
	CU_ASSERT_EQUAL(way.mtu, 1280);
	CU_ASSERT_EQUAL(run("port set p0 mtu 1279"), -EINVAL);
	CU_ASSERT_EQUAL(run("port set p0 mtu 20000"), -EINVAL);
	pair_close(&p);
}

static bool
exchange(int fa, int fb)
{
	char buf[8];

	if (weir_send(p.a, fa, "x", 1, 0) != 1)
		return false;
	pair_pass(&p, 500000);
	return weir_recv(p.b, fb, buf, sizeof(buf), 0) > 0;
}

/* The connection's cached way is looked up again. */
static void
connections_follow_routes_and_lose_their_address(void)
{
	int fa, fb;

	open_pair(2);
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT(exchange(fa, fb));
	CU_ASSERT_EQUAL(run("route add unreachable 10.0.0.2/32"), 0);
	CU_ASSERT(!exchange(fa, fb));
	CU_ASSERT_EQUAL(run("route del 10.0.0.2/32"), 0);
	pair_pass(&p, 3000000);
	CU_ASSERT(exchange(fa, fb));
	CU_ASSERT_EQUAL(run("addr del 10.0.0.1 port p0"), 0);
	CU_ASSERT_EQUAL(run("addr add 10.0.0.7/24 port p0"), 0);
	pair_pass(&p, 3000000);
	while (weir_recv(p.b, fb, (char[8]){0}, 8, 0) > 0)
		continue;
	CU_ASSERT(!exchange(fa, fb));
	CU_ASSERT_EQUAL(run("addr add 10.0.0.1/24 port p0"), 0);
	pair_pass(&p, 20000000);
	CU_ASSERT(weir_recv(p.b, fb, (char[8]){0}, 8, 0) > 0);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

static void
neighbours_are_added_and_flushed(void)
{
	struct weir_net_neigh list[8];
	int fa, fb;

	open_pair(2);
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(weir_neigh_list(p.a, list, RTE_DIM(list)), 1);
	CU_ASSERT_EQUAL(run("neigh add 10.0.0.99 lladdr 02:00:00:00:00:99 port p0"), 0);
	CU_ASSERT_EQUAL(weir_neigh_list(p.a, list, RTE_DIM(list)), 2);
	CU_ASSERT_EQUAL(run("neigh flush"), 0);
	CU_ASSERT_EQUAL(weir_neigh_list(p.a, list, RTE_DIM(list)), 1);
	CU_ASSERT_EQUAL(list[0].state, WEIR_NET_NEIGH_PERMANENT);
	CU_ASSERT_EQUAL(list[0].mac[5], 0x99);
	CU_ASSERT_EQUAL(run("neigh del 10.0.0.99 port p0"), 0);
	CU_ASSERT_EQUAL(run("neigh del 10.0.0.99 port p0"), -ESRCH);
	CU_ASSERT(exchange(fa, fb));
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

static void
port_is_switched_off_and_on(void)
{
	int fa, fb;

	open_pair(2);
	pair_connect(&p, AF_INET, 80, &fa, &fb);
	CU_ASSERT_EQUAL(run("port set p0 down"), 0);
	CU_ASSERT_EQUAL(error_to("10.0.0.2"), -ENETUNREACH);
	CU_ASSERT(!exchange(fa, fb));
	CU_ASSERT_EQUAL(weir_send(p.b, fb, "y", 1, 0), 1);
	pair_pass(&p, 1000000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, (char[8]){0}, 8, 0), -EAGAIN);
	CU_ASSERT_EQUAL(run("port set p0 up"), 0);
	pair_pass(&p, 20000000);
	CU_ASSERT_EQUAL(weir_recv(p.a, fa, (char[8]){0}, 8, 0), 1);
	CU_ASSERT_EQUAL(weir_recv(p.b, fb, (char[8]){0}, 8, 0), 1);
	weir_close(p.a, fa);
	weir_close(p.b, fb);
	pair_pass(&p, 1000000);
	pair_close(&p);
}

static void
wrong_commands_say_why(void)
{
	static const char *const wrong[] = {"", "addr", "addr add", "addr add 10.0.0.5/33 port p0",
		"addr add 10.0.0.5/24", "addr add 10.0.0.255/24 port p0",
		"addr add 10.0.0.5/24 port", "addr drop 10.0.0.5 port p0", "route add",
		"route add 10.1.0.0/16", "route add 10.1.0.0/16 via fd00::2",
		"route add 10.1.0.0/16 via 10.0.0.2 mtu 67", "route add 10.1.0.0/16 metric x",
		"route add 10.1.0.0/16 metric 4294967295", "neigh add 10.0.0.4 port p0",
		"neigh add 10.0.0.4 lladdr 1:2:3 port p0",
		"neigh add 224.0.0.1 lladdr 02:00:00:00:00:01 port p0", "neigh flush all",
		"port set p0", "port set p0 sideways", "port", "link set p0 up",
		"addr add 10.0.0.5/24 port p0 valid 0",
		"a b c d e f g h i j k l m n o p q r s t u v w x y z"};
	char err[WEIR_CONF_ERR_MAX];

	open_pair(1);
	for (size_t i = 0; i < RTE_DIM(wrong); i++) {
		CU_ASSERT(weir_net_command(p.a, wrong[i], err, sizeof(err)) < 0);
		CU_ASSERT(err[0] != '\0');
	}
	CU_ASSERT_EQUAL(run("port set p9 up"), -ENODEV);
	CU_ASSERT_EQUAL(weir_net_command(NULL, "port", err, sizeof(err)), -EFAULT);
	pair_close(&p);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(addresses_come_and_go_on_every_worker),
		UNIT(new_ip6_address_passes_dad_then_ages),
		UNIT(duplicate_address_is_not_used),
		UNIT(routes_are_chosen_by_prefix_then_metric),
		UNIT(routes_may_refuse),
		UNIT(route_mtu_limits_its_packets),
		UNIT(connections_follow_routes_and_lose_their_address),
		UNIT(neighbours_are_added_and_flushed),
		UNIT(port_is_switched_off_and_on),
		UNIT(wrong_commands_say_why),
		{0},
	};

	return unit_main("api_net", tests, true);
}
