/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "conf_priv.h"
#include "weir_addr.h"

#define V4_BITS		 96
#define IPV6_MTU_MIN	 1280 /* RFC 8200 5 */
#define MBUFS_IN_TRANSIT 512  /* per worker: bursts, caches, packets that sockets hold */

/* What a check looks at, and where it reports. */
struct check {
	const struct weir_conf *conf;
	struct conf_report report;
};

#define FAIL(c, ...) conf_fail(&(c)->report, __VA_ARGS__)

static const char *
format_prefix(const struct weir_conf_prefix *p, char text[WEIR_ADDR_STRLEN + 4])
{
	const struct weir_addr a = weir_addr_v6(p->addr);
	const unsigned int len = weir_addr_is_v4(&a) ? p->len - V4_BITS : p->len;
	char addr[WEIR_ADDR_STRLEN];

	snprintf(text, WEIR_ADDR_STRLEN + 4, "%s/%u", weir_addr_format(&a, addr), len);
	return text;
}

static const char *
format_addr(const uint8_t addr[16], char text[WEIR_ADDR_STRLEN])
{
	const struct weir_addr a = weir_addr_v6(addr);

	return weir_addr_format(&a, text);
}

static bool
is_v4(const uint8_t addr[16])
{
	const struct weir_addr a = weir_addr_v6(addr);

	return weir_addr_is_v4(&a);
}

static bool
is_any(const uint8_t addr[16])
{
	const struct weir_addr a = weir_addr_v6(addr);

	return weir_addr_is_any(&a);
}

/* One host's own address: not a group, not everybody, nobody or ourselves. */
static bool
is_host(const uint8_t addr[16])
{
	const struct weir_addr a = weir_addr_v6(addr);

	return !weir_addr_is_any(&a) && !weir_addr_is_multicast(&a) &&
	       !weir_addr_is_broadcast(&a) && !weir_addr_is_loopback(&a);
}

static const struct weir_conf_port *
find_port(const struct weir_conf *conf, const char *name)
{
	for (unsigned int i = 0; i < conf->n_ports; i++)
		if (strcmp(conf->ports[i].name, name) == 0)
			return &conf->ports[i];
	return NULL;
}

/* Is addr on the link of port p? */
static bool
is_on_link(const struct weir_conf_port *p, const uint8_t addr[16])
{
	const struct weir_addr a = weir_addr_v6(addr);

	if (weir_addr_is_link_local(&a))
		return p->use_ipv6;
	for (unsigned int i = 0; i < p->n_addrs; i++) {
		const struct weir_addr own = weir_addr_v6(p->addrs[i].addr);

		if (weir_addr_is_v4(&own) == weir_addr_is_v4(&a) &&
			weir_addr_in_prefix(&own, &a, p->addrs[i].len))
			return true;
	}
	return false;
}

/* ---- values of a struct that a program filled in ---- */

static int
check_item(const struct check *c, const struct conf_section *s, const void *item)
{
	char allowed[WEIR_CONF_TEXT_MAX];

	for (const struct conf_key *k = s->keys; k->name != NULL; k++)
		if (k->kind->is_right != NULL && !k->kind->is_right(k, item))
			return FAIL(c, "[%s%s%.31s] %s: allowed: %s", s->name,
				s->label != NULL ? " " : "",
				s->label != NULL ? (const char *)item : "", k->name,
				conf_allowed(k, allowed));
	return 0;
}

static int
check_section(const struct check *c, const struct conf_section *s)
{
	const char *base = (const char *)c->conf;
	unsigned int n;
	int rc = 0;

	if (s->label == NULL)
		return check_item(c, s, c->conf);
	memcpy(&n, base + s->n_offset, sizeof(n));
	if (n > s->max)
		return FAIL(
			c, "[%s %s]: allowed: at most %u such sections", s->name, s->label, s->max);
	for (unsigned int i = 0; rc == 0 && i < n; i++)
		rc = check_item(c, s, base + s->offset + i * s->size);
	return rc;
}

static int
check_values(const struct check *c)
{
	int rc = 0;

	for (const struct conf_section *s = conf_sections; rc == 0 && s->name != NULL; s++)
		rc = check_section(c, s);
	return rc;
}

/* ---- [workers], [eal] ---- */

static int
check_workers(const struct check *c)
{
	const struct weir_conf *conf = c->conf;
	unsigned int n = 0;

	while (n < WEIR_CONF_WORKERS_MAX && conf->cpus[n] >= 0)
		n++;
	if (n > 0 && n != conf->n_workers)
		return FAIL(c,
			"[workers] cpus: names %u for count = %u; allowed: one for each worker", n,
			conf->n_workers);
	if (n > 0 && conf->lcores[0] != '\0')
		return FAIL(c, "[eal] lcores = %s: allowed: lcores or [workers] cpus, not both",
			conf->lcores);
	return 0;
}

static bool
is_same_device(const char *a, const char *b)
{
	const size_t len = strcspn(a, ",");

	return len == strcspn(b, ",") && strncmp(a, b, len) == 0;
}

static int
check_devices(const struct check *c, const char *key, const char (*devices)[WEIR_CONF_TEXT_MAX],
	unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (memchr(devices[i], '\0', WEIR_CONF_TEXT_MAX) == NULL)
			return FAIL(c, "[eal] %s: allowed: up to %d characters", key,
				WEIR_CONF_TEXT_MAX - 1);
		if (devices[i][0] == '\0')
			return FAIL(c,
				"[eal] %s%u: missing; numbers begin with 0 and leave none out", key,
				i);
		for (unsigned int j = 0; j < i; j++)
			if (is_same_device(devices[i], devices[j]))
				return FAIL(c, "[eal] %s = %s: allowed: each device once", key,
					devices[i]);
	}
	return 0;
}

static int
check_eal(const struct check *c)
{
	const int rc = check_devices(c, "vdev", c->conf->vdevs, c->conf->n_vdevs);

	return rc < 0 ? rc : check_devices(c, "pci", c->conf->pci, c->conf->n_pci);
}

/* ---- [port NAME] ---- */

static bool
is_listed(const char (*devices)[WEIR_CONF_TEXT_MAX], unsigned int n, const char *device)
{
	for (unsigned int i = 0; i < n; i++)
		if (is_same_device(devices[i], device))
			return true;
	return false;
}

/* A program that starts EAL by itself leaves [eal] without devices; then we can't know. */
static int
check_ethdev(const struct check *c, const struct weir_conf_port *p)
{
	const struct weir_conf *conf = c->conf;

	if (conf->n_vdevs + conf->n_pci == 0 || conf->eal_extra[0] != '\0' ||
		is_listed(conf->vdevs, conf->n_vdevs, p->device) ||
		is_listed(conf->pci, conf->n_pci, p->device))
		return 0;
	return FAIL(c, "[port %s] device = %s: allowed: a device that [eal] %s names", p->name,
		p->device, conf_is_pci_address(p->device) ? "pci" : "vdev");
}

static int
check_cable(const struct check *c, const struct weir_conf_port *p)
{
	const char *colon = strchr(p->device, ':');

	if (colon != NULL && colon != p->device &&
		(strcmp(colon, ":a") == 0 || strcmp(colon, ":b") == 0))
		return 0;
	return FAIL(c, "[port %s] device = %s: allowed: a cable's end: c0:a or c0:b", p->name,
		p->device);
}

static int
check_device(const struct check *c, const struct weir_conf_port *p)
{
	if (p->device[0] == '\0')
		return FAIL(c, "[port %s] device: missing", p->name);
	return strcmp(p->driver, "wire") == 0 ? check_cable(c, p) : check_ethdev(c, p);
}

/* Neither the network itself nor its broadcast address (RFC 1122 3.2.1.3); RFC 3021 has none. */
static bool
is_network_or_broadcast(const struct weir_conf_prefix *p)
{
	const struct weir_addr a = weir_addr_v6(p->addr);
	uint32_t host_mask;

	if (!weir_addr_is_v4(&a) || p->len >= 127)
		return false;
	host_mask = (uint32_t)(UINT32_MAX >> (p->len - V4_BITS));
	return (rte_be_to_cpu_32(a.w[3]) & host_mask) == 0 ||
	       (rte_be_to_cpu_32(a.w[3]) & host_mask) == host_mask;
}

/* How often the address stands in all ports. */
static unsigned int
count_addr(const struct weir_conf *conf, const uint8_t addr[16])
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < conf->n_ports; i++)
		for (unsigned int j = 0; j < conf->ports[i].n_addrs; j++)
			n += memcmp(conf->ports[i].addrs[j].addr, addr, 16) == 0;
	return n;
}

static int
check_addr(const struct check *c, const struct weir_conf_port *p, const struct weir_conf_prefix *a)
{
	char text[WEIR_ADDR_STRLEN + 4];
	const char *wrong = NULL;

	if (a->len > 128 || (is_v4(a->addr) && a->len < V4_BITS))
		return FAIL(c, "[port %s] address: a prefix length is out of range", p->name);
	if (!is_host(a->addr))
		wrong = "allowed: the address of one host";
	else if (is_network_or_broadcast(a))
		wrong = "is the network or its broadcast; allowed: the address of one host";
	else if (count_addr(c->conf, a->addr) > 1)
		wrong = "allowed: each address once";
	if (wrong == NULL)
		return 0;
	return FAIL(c, "[port %s] address = %s: %s", p->name, format_prefix(a, text), wrong);
}

static int
check_port_values(const struct check *c, const struct weir_conf_port *p)
{
	int rc = check_device(c, p);

	if (rc < 0)
		return rc;
	if (p->use_ipv6 && p->mtu != 0 && p->mtu < IPV6_MTU_MIN)
		return FAIL(c, "[port %s] mtu = %u: allowed: %u or more with ipv6 = yes", p->name,
			p->mtu, IPV6_MTU_MIN);
	for (unsigned int i = 0; rc == 0 && i < p->n_addrs; i++)
		rc = check_addr(c, p, &p->addrs[i]);
	return rc;
}

static int
check_ports(const struct check *c)
{
	const struct weir_conf *conf = c->conf;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < conf->n_ports; i++) {
		const struct weir_conf_port *p = &conf->ports[i];

		if (memchr(p->name, '\0', sizeof(p->name)) == NULL ||
			!conf_is_name(p->name, sizeof(p->name)))
			return FAIL(c, "[port %.31s]: allowed: [port NAME], a name", p->name);
		if (find_port(conf, p->name) != p)
			return FAIL(c, "[port %s]: allowed: each port once", p->name);
		for (unsigned int j = 0; j < i; j++)
			if (is_same_device(p->device, conf->ports[j].device))
				return FAIL(c,
					"[port %s] device = %s: allowed: a device of its own; "
					"[port %s] has this one",
					p->name, p->device, conf->ports[j].name);
		rc = check_port_values(c, p);
	}
	return rc;
}

/* ---- [route NAME], [neighbour NAME] ---- */

static int
check_port_name(const struct check *c, const char *section, const char *name, const char *port)
{
	if (find_port(c->conf, port) != NULL)
		return 0;
	return FAIL(
		c, "[%s %s] port = %s: allowed: the NAME of a [port NAME]", section, name, port);
}

static int
check_route(const struct check *c, const struct weir_conf_route *r)
{
	char text[WEIR_ADDR_STRLEN];
	const char *wrong = NULL;
	const int rc = check_port_name(c, "route", r->name, r->port);

	if (rc < 0 || is_any(r->gateway))
		return rc;
	if (is_v4(r->gateway) != is_v4(r->net.addr))
		wrong = "allowed: an address of the same IP version as net";
	else if (!is_host(r->gateway))
		wrong = "allowed: the address of one host";
	else if (!is_on_link(find_port(c->conf, r->port), r->gateway))
		wrong = "allowed: an address inside a network of the port";
	else if (count_addr(c->conf, r->gateway) > 0)
		wrong = "is our own; allowed: another host's";
	if (wrong == NULL)
		return 0;
	return FAIL(
		c, "[route %s] gateway = %s: %s", r->name, format_addr(r->gateway, text), wrong);
}

static int
check_routes(const struct check *c)
{
	const struct weir_conf_route *r = c->conf->routes;
	char text[WEIR_ADDR_STRLEN + 4];

	for (unsigned int i = 0; i < c->conf->n_routes; i++) {
		const int rc = check_route(c, &r[i]);

		if (rc < 0)
			return rc;
		for (unsigned int j = 0; j < i; j++)
			if (memcmp(&r[i].net, &r[j].net, sizeof(r[i].net)) == 0)
				return FAIL(c, "[route %s] net = %s: allowed: each network once",
					r[i].name, format_prefix(&r[i].net, text));
	}
	return 0;
}

static int
check_neigh(const struct check *c, const struct weir_conf_neigh *n)
{
	static const uint8_t no_mac[6];
	char text[WEIR_ADDR_STRLEN];
	const char *wrong = NULL;
	const int rc = check_port_name(c, "neighbour", n->name, n->port);

	if (rc < 0)
		return rc;
	if (n->mac[0] & 1 || memcmp(n->mac, no_mac, sizeof(no_mac)) == 0)
		return FAIL(c, "[neighbour %s] mac: allowed: the address of one host", n->name);
	if (!is_host(n->addr))
		wrong = "allowed: the address of one host";
	else if (!is_on_link(find_port(c->conf, n->port), n->addr))
		wrong = "allowed: an address inside a network of the port";
	else if (count_addr(c->conf, n->addr) > 0)
		wrong = "is our own; allowed: another host's";
	if (wrong == NULL)
		return 0;
	return FAIL(
		c, "[neighbour %s] address = %s: %s", n->name, format_addr(n->addr, text), wrong);
}

static int
check_neighs(const struct check *c)
{
	const struct weir_conf_neigh *n = c->conf->neighs;
	char text[WEIR_ADDR_STRLEN];

	for (unsigned int i = 0; i < c->conf->n_neighs; i++) {
		const int rc = check_neigh(c, &n[i]);

		if (rc < 0)
			return rc;
		for (unsigned int j = 0; j < i; j++)
			if (memcmp(n[i].addr, n[j].addr, 16) == 0 &&
				strcmp(n[i].port, n[j].port) == 0)
				return FAIL(c,
					"[neighbour %s] address = %s: allowed: each address once",
					n[i].name, format_addr(n[i].addr, text));
	}
	return 0;
}

/* ---- [pools], [tcp] ---- */

/* A worker fills a receive queue of every port, and sent packets wait in as many transmit queues.
 */
static int
check_pools(const struct check *c)
{
	uint32_t min = MBUFS_IN_TRANSIT;

	for (unsigned int i = 0; i < c->conf->n_ports; i++)
		min += (uint32_t)c->conf->ports[i].rx_desc + c->conf->ports[i].tx_desc;
	if (c->conf->mbufs >= min)
		return 0;
	return FAIL(c, "[pools] mbufs = %u: allowed: %u or more with these ports and descriptors",
		c->conf->mbufs, min);
}

/* Pairs of digits as they stand are bytes. */
int
conf_fastopen_key(const char *text, uint8_t key[CONF_FASTOPEN_KEY])
{
	const size_t len = strspn(text, "0123456789abcdefABCDEF");

	if (text[len] != '\0' || (len != 0 && len != 2 * CONF_FASTOPEN_KEY))
		return -EINVAL;
	for (size_t i = 0; i < len / 2; i++)
		if (sscanf(text + 2 * i, "%2hhx", &key[i]) != 1)
			return -EINVAL;
	return (int)(len / 2);
}

static int
check_tcp(const struct check *c)
{
	const struct weir_conf_tcp *t = &c->conf->tcp;
	uint8_t key[CONF_FASTOPEN_KEY];

	if (conf_fastopen_key(t->fastopen_key, key) < 0)
		return FAIL(c, "[tcp] fastopen_key = %s: allowed: 32 hexadecimal digits, or none",
			t->fastopen_key);
	if (t->rto_min_ms <= t->rto_max_ms && t->rto_initial_ms <= t->rto_max_ms)
		return 0;
	return FAIL(c, "[tcp] rto_max_ms = %u: allowed: no less than rto_min_ms and rto_initial_ms",
		t->rto_max_ms);
}

int
weir_conf_check(const struct weir_conf *conf, char *err, size_t err_len)
{
	static int (*const checks[])(const struct check *) = {check_values, check_workers,
		check_eal, check_ports, check_routes, check_neighs, check_pools, check_tcp};
	const struct check c = {conf, {conf->file, err, err_len}};
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < RTE_DIM(checks); i++)
		rc = checks[i](&c);
	return rc;
}
