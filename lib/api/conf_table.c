/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_kind.h"

#include <assert.h>

#define K 1024u
#define M (1024u * 1024u)

/* Where a key's field lies, and its size; a list's are those of one element, and its count. */
#define CONF(f)	   offsetof(struct weir_conf, f), sizeof(((struct weir_conf *)0)->f), 0
#define PORT(f)	   offsetof(struct weir_conf_port, f), sizeof(((struct weir_conf_port *)0)->f), 0
#define ROUTE(f)   offsetof(struct weir_conf_route, f), sizeof(((struct weir_conf_route *)0)->f), 0
#define NEIGH(f)   offsetof(struct weir_conf_neigh, f), sizeof(((struct weir_conf_neigh *)0)->f), 0
#define LIST(s, f) offsetof(struct s, f), sizeof(((struct s *)0)->f[0]), offsetof(struct s, n_##f)

/* clang-format off */

/* name, kind, field, min, max, words, default, help */
static const struct conf_key stack_keys[] = {
	{"name", &conf_name, CONF(name), 0, 0, NULL, "weir",
		"name of the stack in logs, pools and telemetry; unique in the process"},
	{"seed", &conf_number, CONF(seed), 0, UINT64_MAX, NULL, "0",
		"start of all random numbers, for repeatable runs; 0: from the system"},
	{NULL},
};

static const struct conf_key eal_keys[] = {
	{"lcores", &conf_text, CONF(lcores), 0, 0, "as EAL's --lcores, or none", "none",
		"lcores and their CPUs as DPDK writes them; 0 is the program's, 1 to [workers] "
		"count are the workers'; none: made from [workers]"},
	{"memory", &conf_number, CONF(memory_mb), 16, 1024 * K, NULL, "512",
		"MB of memory that DPDK reserves for pools and tables"},
	{"hugepages", &conf_hugepages, CONF(use_hugepages), 0, 0, "yes, no or auto", "auto",
		"auto: use them when enough are free; real NICs need them"},
	{"file_prefix", &conf_name, CONF(file_prefix), 0, 0, NULL, "weir",
		"tells programs apart in DPDK's directories and in weir-stat"},
	{"in_memory", &conf_bool, CONF(in_memory), 0, 0, NULL, "yes",
		"leave no hugepage files behind; no where another process is to share the memory"},
	{"telemetry", &conf_bool, CONF(telemetry), 0, 0, NULL, "yes",
		"weir-stat can look into the running program"},
	{"vdev", &conf_vdev, LIST(weir_conf, vdevs), 0, WEIR_CONF_PORTS_MAX,
		"a DPDK device with its parameters: net_tap0,iface=weir0", NULL,
		"virtual device to make; more of them: vdev0, vdev1, ...", .is_numbered = true},
	{"pci", &conf_pci, LIST(weir_conf, pci), 0, WEIR_CONF_PORTS_MAX,
		"PCI addresses: 0000:01:00.0, 0000:01:00.1,parameter=1; or none", "none",
		"PCI devices to take; none: the PCI bus is left alone"},
	{"extra", &conf_text, CONF(eal_extra), 0, 0, "EAL arguments, or none", "none",
		"further EAL arguments, split at blanks"},
	{NULL},
};

static const struct conf_key worker_keys[] = {
	{"count", &conf_number, CONF(n_workers), 1, WEIR_CONF_WORKERS_MAX, NULL, "1",
		"workers: lcores that process packets, each with a queue pair of every port"},
	{"cpus", &conf_cpus, CONF(cpus), 0, 0, "a CPU for each worker: 2,3 or 2-3; or any", "any",
		"workers may share a CPU: name it again"},
	{"idle", &conf_choice, CONF(idle), 0, 0, "poll|sleep", "sleep",
		"without work: poll for ever, or sleep until a packet, timer or call"},
	{"idle_poll_us", &conf_number, CONF(idle_poll_us), 0, 1000000, NULL, "100",
		"microseconds that a worker polls without work before it sleeps"},
	{NULL},
};

static const struct conf_key pool_keys[] = {
	{"mbufs", &conf_number, CONF(mbufs), 256, 16 * M, NULL, "16384",
		"packet buffers of each worker"},
	{"lent_mbufs", &conf_number, CONF(lent_mbufs), 0, 1024 * M, NULL, "0",
		"received packets that applications may hold as mbufs; 0: half of all mbufs"},
	{"mbuf_data_room", &conf_size, CONF(mbuf_data_room), K, 65535, NULL, "2176",
		"bytes in a packet buffer, 128 of headroom included"},
	{"sockets", &conf_number, CONF(sockets), 16, 64 * M, NULL, "32768",
		"sockets of the stack"},
	{"connections", &conf_number, CONF(connections), 16, 64 * M, NULL, "32768",
		"TCP connections of each worker"},
	{"active_connections", &conf_number, CONF(active_connections), 0, 64 * M, NULL, "0",
		"of them, those that can have data under way at a time; 0: all"},
	{"half_open", &conf_number, CONF(half_open), 16, 16 * M, NULL, "4096",
		"connections of each worker that a peer has asked for and not yet confirmed"},
	{"time_waits", &conf_number, CONF(time_waits), 16, 64 * M, NULL, "32768",
		"connections of each worker in TIME_WAIT; the oldest make room"},
	{"traces", &conf_number, CONF(traces), 0, 16 * M, NULL, "1024",
		"connections of each worker whose latest events are kept, 512 bytes each"},
	{NULL},
};

static const struct conf_key port_keys[] = {
	{"driver", &conf_word, PORT(driver), 0, 0, "ethdev|wire", "ethdev",
		"ethdev: a DPDK device; wire: the end of a cable in software"},
	{"device", &conf_text, PORT(device), 0, 0,
		"a vdev's name, a PCI address, or a cable's end (c0:a, c0:b)", NULL,
		"what the port is", .is_needed = true},
	{"address", &conf_addrs, LIST(weir_conf_port, addrs), 0, WEIR_CONF_ADDRS_MAX,
		"addresses with prefix length: 10.0.0.1/24, fd00::1/64; or none", "none",
		"the port's IPv4 and IPv6 addresses"},
	{"mtu", &conf_number_or0, PORT(mtu), 68, 9600, NULL, "0",
		"bytes of the largest IP packet; 0: what the device has"},
	{"mss", &conf_number_or0, PORT(mss), 88, 9540, NULL, "0",
		"largest TCP segment that is offered and believed in SYNs; 0: by the MTU"},
	{"vlan", &conf_number, PORT(vlan), 0, 4094, NULL, "0",
		"802.1Q tag of all frames; 0: untagged"},
	{"rx_descriptors", &conf_number, PORT(rx_desc), 32, 32768, NULL, "512",
		"packets a receive queue holds"},
	{"tx_descriptors", &conf_number, PORT(tx_desc), 32, 32768, NULL, "512",
		"packets a transmit queue holds"},
	{"ipv6", &conf_bool, PORT(use_ipv6), 0, 0, NULL, "yes",
		"link-local address and neighbour discovery"},
	{"accept_ra", &conf_bool, PORT(accept_ra), 0, 0, NULL, "yes",
		"take addresses and the default route from IPv6 router advertisements"},
	{"dad", &conf_bool, PORT(use_dad), 0, 0, NULL, "yes",
		"ask whether an IPv6 address is in use before using it (takes a second)"},
	{"promiscuous", &conf_bool, PORT(promisc), 0, 0, NULL, "no",
		"let the device hand over frames for others, too"},
	{"offloads_off", &conf_offloads, PORT(caps_off), 0, 0, NULL, "none",
		"what the device could do and software is to do instead"},
	{NULL},
};

static const struct conf_key route_keys[] = {
	{"net", &conf_net, ROUTE(net), 0, 0,
		"a network with prefix length: 0.0.0.0/0, fd01::/48", NULL,
		"where the route leads", .is_needed = true},
	{"gateway", &conf_addr, ROUTE(gateway), 0, 0, "an IPv4 or IPv6 address, or none", "none",
		"the next hop; none: the network is on the port's link"},
	{"port", &conf_name, ROUTE(port), 0, 0, NULL, NULL,
		"NAME of the [port NAME] it leaves by", .is_needed = true},
	{NULL},
};

static const struct conf_key neigh_keys[] = {
	{"address", &conf_addr, NEIGH(addr), 0, 0, "an IPv4 or IPv6 address", NULL,
		"a neighbour that ARP and neighbour discovery need not ask for", .is_needed = true},
	{"mac", &conf_mac, NEIGH(mac), 0, 0, "a MAC address: 02:00:00:00:00:01", NULL,
		"its Ethernet address", .is_needed = true},
	{"port", &conf_name, NEIGH(port), 0, 0, NULL, NULL,
		"NAME of the [port NAME] it is reached by", .is_needed = true},
	{NULL},
};

static const struct conf_key tcp_keys[] = {
	{"sndbuf", &conf_size, CONF(tcp.sndbuf), 4 * K, 1024 * M, NULL, "256K",
		"memory that a connection's data to send may hold, packet buffers counted whole"},
	{"rcvbuf", &conf_size, CONF(tcp.rcvbuf), 4 * K, 1024 * M, NULL, "512K",
		"memory that a connection's received data may hold"},
	{"sndbuf_max", &conf_size, CONF(tcp.sndbuf_max), 0, 1024 * M, NULL, "4M",
		"sndbuf grows up to this with the window, unless SO_SNDBUF was set"},
	{"rcvbuf_max", &conf_size, CONF(tcp.rcvbuf_max), 0, 1024 * M, NULL, "6M",
		"rcvbuf grows up to this with what is read, unless SO_RCVBUF was set"},
	{"rto_min_ms", &conf_number, CONF(tcp.rto_min_ms), 1, 60000, NULL, "200",
		"shortest retransmission timeout"},
	{"rto_initial_ms", &conf_number, CONF(tcp.rto_initial_ms), 10, 60000, NULL, "1000",
		"timeout before the round trip is known (RFC 6298)"},
	{"rto_max_ms", &conf_number, CONF(tcp.rto_max_ms), 1000, 600000, NULL, "120000",
		"longest retransmission timeout"},
	{"delayed_ack_ms", &conf_number, CONF(tcp.delayed_ack_ms), 0, 500, NULL, "40",
		"how long an acknowledgment may wait for company; 0: none waits"},
	{"time_wait_ms", &conf_number, CONF(tcp.time_wait_ms), 0, 600000, NULL, "60000",
		"how long a closed connection stays in TIME_WAIT"},
	{"fin_wait_2_ms", &conf_number, CONF(tcp.fin_wait_2_ms), 1, 3600000, NULL, "60000",
		"how long a connection closed on our side waits for the peer's FIN"},
	{"invalid_ratelimit_ms", &conf_number, CONF(tcp.invalid_ratelimit_ms), 0, 30000, NULL,
		"500",
		"shortest time between acknowledgments of segments that are not acceptable"},
	{"syn_cookies", &conf_choice, CONF(tcp.syn_cookies), 0, 0, "no|yes|always", "yes",
		"answer SYNs without keeping anything: when a listener's queue is full, or always"},
	{"fastopen", &conf_number, CONF(tcp.fastopen), 0, 0xfffff, NULL, "1",
		"TCP Fast Open, Linux's bits: 1 connect, 2 listeners with TCP_FASTOPEN, "
		"4 connect and 512 listeners without a cookie, 1024 all listeners"},
	{"fastopen_pause_s", &conf_number, CONF(tcp.fastopen_pause_s), 0, 86400, NULL, "0",
		"how long connect does without Fast Open when SYNs with data seem to vanish, "
		"doubled each time; 0: it does not"},
	{"fastopen_key", &conf_text, CONF(tcp.fastopen_key), 0, 0, "32 hexadecimal digits, or none",
		"none", "key of Fast Open cookies, the same on all hosts behind an address"},
	{"max_orphans", &conf_number, CONF(tcp.max_orphans), 0, 64 * M, NULL, "16384",
		"closed connections of each worker that still send; beyond, close resets"},
	{"orphan_retries", &conf_number, CONF(tcp.orphan_retries), 0, 60, NULL, "8",
		"repetitions of data before a connection that was closed gives up"},
	{"resets_per_s", &conf_number, CONF(tcp.resets_per_s), 0, 100 * M, NULL, "10000",
		"resets of each worker for segments without a connection; 0: no limit"},
	{"challenges_per_s", &conf_number, CONF(tcp.challenges_per_s), 0, 100 * M, NULL, "1000",
		"challenge ACKs of each worker (RFC 5961); 0: no limit"},
	{"rfc1337", &conf_bool, CONF(tcp.rfc1337), 0, 0, NULL, "yes",
		"a RST does not end TIME_WAIT"},
	{"time_wait_reuse", &conf_bool, CONF(tcp.time_wait_reuse), 0, 0, NULL, "no",
		"connect may use a port again that is in TIME_WAIT for a second, with timestamps"},
	{"initial_window", &conf_number, CONF(tcp.initial_window), 1, 100, NULL, "10",
		"segments sent before the first acknowledgment (RFC 6928)"},
	{"hystart", &conf_choice, CONF(tcp.hystart), 0, 0, "plus-plus|linux|no", "plus-plus",
		"what ends cubic's slow start before a loss: HyStart++ (RFC 9406), or Linux's "
		"HyStart, which fills queues less and takes longer to fill long paths"},
	{"mtu_probing", &conf_choice, CONF(tcp.mtu_probing), 0, 0, "never|black-hole|always",
		"never",
		"search for the path's MTU by sending (RFC 4821): never, when nothing gets "
		"through, or on every connection"},
	{"base_mss", &conf_number, CONF(tcp.base_mss), 88, 8960, NULL, "1024",
		"bytes of a segment that every path takes: where that search begins"},
	{"syn_retries", &conf_number, CONF(tcp.syn_retries), 0, 30, NULL, "6",
		"repetitions of a SYN before connect gives up"},
	{"synack_retries", &conf_number, CONF(tcp.synack_retries), 0, 30, NULL, "5",
		"repetitions of a SYN,ACK"},
	{"data_retries", &conf_number, CONF(tcp.data_retries), 1, 60, NULL, "15",
		"repetitions of data before a connection gives up"},
	{"keep_idle_s", &conf_number, CONF(tcp.keep_idle_s), 1, 32767, NULL, "7200",
		"SO_KEEPALIVE: seconds of silence before the first probe"},
	{"keep_interval_s", &conf_number, CONF(tcp.keep_interval_s), 1, 32767, NULL, "75",
		"SO_KEEPALIVE: seconds between probes"},
	{"keep_count", &conf_number, CONF(tcp.keep_count), 1, 127, NULL, "9",
		"SO_KEEPALIVE: probes without an answer before the connection is dropped"},
	{"window_scale", &conf_bool, CONF(tcp.window_scale), 0, 0, NULL, "yes",
		"windows above 64K (RFC 7323)"},
	{"window_scale_max", &conf_number, CONF(tcp.window_scale_max), 0, 14, NULL, "14",
		"largest scale that is offered; what rcvbuf asks for is often less"},
	{"sack", &conf_bool, CONF(tcp.sack), 0, 0, NULL, "yes",
		"selective acknowledgment, both ways (RFC 2018, RFC 2883)"},
	{"timestamps", &conf_bool, CONF(tcp.timestamps), 0, 0, NULL, "yes",
		"round trips from timestamps, protection against old segments (RFC 7323)"},
	{"idle_restart", &conf_bool, CONF(tcp.idle_restart), 0, 0, NULL, "yes",
		"begin slowly again after a time without sending (RFC 5681 4.1)"},
	{"tail_loss_probe", &conf_bool, CONF(tcp.tail_loss_probe), 0, 0, NULL, "yes",
		"send the last segment again before the timeout (RFC 8985 7)"},
	{"frto", &conf_bool, CONF(tcp.frto), 0, 0, NULL, "yes",
		"find out whether a timeout was needless (RFC 5682)"},
	{"dsack", &conf_bool, CONF(tcp.dsack), 0, 0, NULL, "yes",
		"tell the peer what came twice (RFC 2883)"},
	{"reordering", &conf_number, CONF(tcp.reordering), 1, 300, NULL, "3",
		"segments that may overtake one without being taken for its loss"},
	{"ecn", &conf_choice, CONF(tcp.ecn), 0, 0,
		"no|passive|yes|accurate|accurate-accept|accurate-passive", "passive",
		"explicit congestion notification (RFC 3168); passive: where the peer asks for it; "
		"accurate (RFC 9768): both ways, accepted while connect asks for RFC 3168, "
		"accepted alone"},
	{"ecn_option", &conf_choice, CONF(tcp.ecn_option), 0, 0, "no|needed|always", "always",
		"accurate ECN: counters of bytes, where there is news of them or on every segment"},
	{"ecn_beacon", &conf_number, CONF(tcp.ecn_beacon), 0, 63, NULL, "3",
		"accurate ECN: options in a round trip where ecn_option is needed"},
	{"congestion", &conf_word, CONF(tcp.congestion), 0, 0, "cubic|reno|dctcp|bbr", "cubic",
		"congestion control of connections that do not choose (TCP_CONGESTION)"},
	{"pacing", &conf_bool, CONF(tcp.pacing), 0, 0, NULL, "no",
		"spread what the window allows over the round trip; bbr always does"},
	{"ephemeral_ports", &conf_ports, CONF(tcp.port_min), 1, 65535,
		"first-last within 1 to 65535", "32768-60999",
		"ports that connect and unbound sockets choose from"},
	{NULL},
};

static const struct conf_key udp_keys[] = {
	{"rcvbuf", &conf_size, CONF(udp_rcvbuf), 4 * K, 1024 * M, NULL, "256K",
		"memory that a socket's received datagrams may hold, packet buffers counted whole"},
	{"sndbuf", &conf_size, CONF(udp_sndbuf), 4 * K, 1024 * M, NULL, "256K",
		"memory that a socket's datagrams to send may hold"},
	{NULL},
};

#define MANY(f, max)   offsetof(struct weir_conf, f), sizeof(((struct weir_conf *)0)->f[0]), \
	offsetof(struct weir_conf, n_##f), max

const struct conf_section conf_sections[] = {
	{"stack", NULL, "the stack as a whole", stack_keys},
	{"eal", NULL, "DPDK's environment: memory and devices", eal_keys},
	{"workers", NULL, "the lcores that process packets", worker_keys},
	{"pools", NULL, "how much of everything there is", pool_keys},
	{"port", "NAME", "a network port", port_keys, MANY(ports, WEIR_CONF_PORTS_MAX)},
	{"route", "NAME", "a route beyond the ports' own networks", route_keys,
		MANY(routes, WEIR_CONF_ROUTES_MAX)},
	{"neighbour", "NAME", "a static neighbour", neigh_keys,
		MANY(neighs, WEIR_CONF_NEIGHS_MAX)},
	{"tcp", NULL, "TCP", tcp_keys},
	{"udp", NULL, "UDP", udp_keys},
	{NULL},
};

/* clang-format on */

static_assert(offsetof(struct weir_conf_port, name) == 0 &&
		      offsetof(struct weir_conf_route, name) == 0 &&
		      offsetof(struct weir_conf_neigh, name) == 0,
	"a section with a label begins with its name");
