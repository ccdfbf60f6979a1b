/* SPDX-License-Identifier: BSD-3-Clause */
/* /weir/ports */
#include <errno.h>

#include "telemetry_priv.h"

static int
read_addrs(struct weir_worker *w, void *arg)
{
	struct tel_addrs *a = arg;
	const struct weir_iface *ifc = &w->ifaces[a->port];

	a->n = RTE_MIN(ifc->n_addrs, (unsigned int)WEIR_IFADDRS_MAX);
	a->now_us = w->core.now_us;
	memcpy(a->addr, ifc->addrs, sizeof(a->addr[0]) * a->n);
	return 0;
}

int
tel_ask_addrs(struct weir_stack *st, unsigned int port, struct tel_addrs *a)
{
	*a = (struct tel_addrs){.port = port};
	return tel_ask(st, 0, read_addrs, a, sizeof(*a), TEL_ASK_US);
}

static const char *
addr_state(const struct weir_ifaddr *a)
{
	switch ((enum weir_ifaddr_state)a->state) {
	case WEIR_IFADDR_TENTATIVE:
		return " tentative";
	case WEIR_IFADDR_DEPRECATED:
		return " deprecated";
	case WEIR_IFADDR_DUPLICATE:
		return " duplicate";
	case WEIR_IFADDR_PREFERRED:
		break;
	}
	return "";
}

static void
add_addr(struct rte_tel_data *list, const struct weir_ifaddr *a)
{
	const bool is_v4 = weir_addr_is_v4(&a->addr);
	char text[WEIR_ADDR_STRLEN], line[WEIR_ADDR_STRLEN + 24];

	snprintf(line, sizeof(line), "%s/%u%s", weir_addr_format(&a->addr, text),
		is_v4 ? a->prefix_len - 96u : a->prefix_len, addr_state(a));
	rte_tel_data_add_array_string(list, line);
}

static void
put_addrs(struct rte_tel_data *d, struct weir_stack *st, unsigned int port)
{
	struct tel_addrs a;
	struct rte_tel_data *list;
	const int rc = tel_ask_addrs(st, port, &a);

	if (rc != 0) {
		tel_text(d, "error", "worker 0 does not answer: %s", strerror(-rc));
		return;
	}
	list = tel_strings();
	for (unsigned int i = 0; i < a.n && list != NULL; i++)
		add_addr(list, &a.addr[i]);
	tel_put(d, "addresses", list);
}

static void
put_caps(struct rte_tel_data *d, uint32_t caps)
{
	static const struct {
		uint32_t cap;
		const char *name;
	} names[] = {
		{WEIR_PORT_RX_IP4_CKSUM, "rx_ip4_cksum"},
		{WEIR_PORT_RX_L4_CKSUM, "rx_l4_cksum"},
		{WEIR_PORT_RX_RSS_HASH, "rx_rss_hash"},
		{WEIR_PORT_RX_LRO, "rx_lro"},
		{WEIR_PORT_TX_IP4_CKSUM, "tx_ip4_cksum"},
		{WEIR_PORT_TX_TCP_CKSUM, "tx_tcp_cksum"},
		{WEIR_PORT_TX_UDP_CKSUM, "tx_udp_cksum"},
		{WEIR_PORT_TX_TSO, "tx_tso"},
		{WEIR_PORT_TX_MULTI_SEG, "tx_multi_seg"},
		{WEIR_PORT_TX_VLAN, "tx_vlan"},
		{WEIR_PORT_RX_VLAN, "rx_vlan"},
		{WEIR_PORT_RSS, "rss"},
		{WEIR_PORT_RX_INTR, "rx_intr"},
	};
	struct rte_tel_data *list = tel_strings();

	for (unsigned int i = 0; i < RTE_DIM(names) && list != NULL; i++)
		if (caps & names[i].cap)
			rte_tel_data_add_array_string(list, names[i].name);
	tel_put(d, "offloads", list);
}

static void
put_link(struct rte_tel_data *d, struct weir_port *p)
{
	struct weir_port_link link = {0};

	if (p->ops->link(p, &link) != 0)
		return;
	tel_text(d, "link", "%s", link.is_up ? "up" : "down");
	tel_u64(d, "speed_mbps", link.speed_mbps);
}

static void
put_stats(struct rte_tel_data *d, struct weir_port *p)
{
	struct weir_port_stats s = {0};

	if (p->ops->stats(p, &s) != 0)
		return;
	tel_u64(d, "rx_packets", s.rx_packets);
	tel_u64(d, "rx_bytes", s.rx_bytes);
	tel_u64(d, "tx_packets", s.tx_packets);
	tel_u64(d, "tx_bytes", s.tx_bytes);
	tel_u64(d, "rx_missed", s.rx_missed);
	tel_u64(d, "rx_errors", s.rx_errors);
	tel_u64(d, "rx_no_mbuf", s.rx_no_mbuf);
	tel_u64(d, "tx_errors", s.tx_errors);
}

static struct rte_tel_data *
port_data(struct weir_stack *st, unsigned int i)
{
	const struct weir_conf_port *conf = &st->conf.ports[i];
	struct weir_port *p = st->ports[i];
	const uint8_t *mac = p->info.mac.b;
	struct rte_tel_data *d = tel_dict();

	if (d == NULL)
		return NULL;
	tel_text(d, "name", "%s", conf->name);
	tel_text(d, "driver", "%s", conf->driver);
	tel_text(d, "device", "%s", conf->device);
	tel_text(d, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
	tel_u64(d, "mtu", st->workers[0]->ifaces[i].mtu);
	tel_u64(d, "vlan", conf->vlan);
	tel_u64(d, "queues", p->info.n_queues);
	tel_int(d, "numa_node", p->info.numa_node);
	put_link(d, p);
	put_stats(d, p);
	put_caps(d, p->info.caps);
	put_addrs(d, st, i);
	return d;
}

int
tel_ports(struct tel_req *r)
{
	struct rte_tel_data *rows = tel_dict();
	const uint64_t n = r->st->n_ports;
	const uint64_t first = RTE_MIN(r->from, n);
	const uint64_t end = RTE_MIN(first + TEL_PORTS_MAX, n);

	if (rows == NULL)
		return -ENOMEM;
	for (uint64_t i = first; i < end; i++)
		tel_put_row(rows, (unsigned int)i, port_data(r->st, (unsigned int)i));
	tel_put(r->d, "ports", rows);
	if (end < n)
		tel_u64(r->d, "next", end);
	return 0;
}
