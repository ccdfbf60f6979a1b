/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "conf_priv.h"
#include "weir_addr.h"
#include "weir_numa.h"
#include "weir_port.h"
#include "weir_sys.h"

static char file_path[64];
static char err[WEIR_CONF_ERR_MAX];

#define PORT "[port p]\ndevice = net_null0\n"

/* ---- helpers ---- */

static void
write_file(const char *text, size_t len)
{
	int fd;

	snprintf(file_path, sizeof(file_path), "/tmp/weir-test-conf.XXXXXX");
	fd = mkstemp(file_path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static int
load_bytes(struct weir_conf *conf, const char *text, size_t len)
{
	int rc;

	write_file(text, len);
	weir_conf_default(conf);
	rc = weir_conf_load(conf, file_path, err, sizeof(err));
	unlink(file_path);
	return rc;
}

static int
load(struct weir_conf *conf, const char *text)
{
	return load_bytes(conf, text, strlen(text));
}

static void
expect_ok(struct weir_conf *conf, const char *text)
{
	int rc = load(conf, text);

	if (rc == 0)
		rc = weir_conf_check(conf, err, sizeof(err));
	if (rc != 0)
		printf("\n  unexpected: %s", err);
	CU_ASSERT_EQUAL(rc, 0);
}

/* err is "FILE: message", one line. */
static void
expect_message(int rc, const char *message)
{
	const size_t len = strlen(file_path);
	const bool is_right = strncmp(err, file_path, len) == 0 &&
			      strncmp(err + len, ": ", 2) == 0 &&
			      strcmp(err + len + 2, message) == 0;

	if (!is_right)
		printf("\n  got:  %s\n  want: %s: %s", err, file_path, message);
	CU_ASSERT(is_right);
	CU_ASSERT_EQUAL(rc, -EINVAL);
	CU_ASSERT_PTR_NULL(strchr(err, '\n'));
}

static void
expect_load_error(const char *text, const char *message)
{
	struct weir_conf conf, before;
	int rc;

	weir_conf_default(&before);
	rc = load(&conf, text);
	expect_message(rc, message);
	CU_ASSERT_EQUAL(memcmp(&conf, &before, sizeof(conf)), 0);
}

static void
expect_check_error(const char *text, const char *message)
{
	struct weir_conf conf;

	if (load(&conf, text) < 0)
		printf("\n  unexpected: %s", err);
	expect_message(weir_conf_check(&conf, err, sizeof(err)), message);
}

/* One key = value of a section without a name. */
static void
expect_value_error(const char *section, const char *key, const char *value, const char *allowed)
{
	char text[512], message[512];

	snprintf(text, sizeof(text), "[%s]\n%s = %s\n", section, key, value);
	snprintf(message, sizeof(message), "[%s] %s = %s: allowed: %s", section, key, value,
		allowed);
	expect_load_error(text, message);
}

static bool
is_addr(const uint8_t addr[16], const char *text)
{
	struct weir_addr a;

	return weir_addr_parse(text, &a) == 0 && memcmp(a.b, addr, 16) == 0;
}

/* ---- what is right ---- */

static void
defaults_are_right_and_run_one_worker(void)
{
	struct weir_conf conf;

	weir_conf_default(&conf);
	CU_ASSERT_EQUAL(weir_conf_check(&conf, err, sizeof(err)), 0);
	CU_ASSERT_STRING_EQUAL(conf.name, "weir");
	CU_ASSERT_STRING_EQUAL(conf.file, "");
	CU_ASSERT_EQUAL(conf.n_workers, 1);
	CU_ASSERT_EQUAL(conf.n_ports, 0);
	CU_ASSERT_EQUAL(conf.cpus[0], -1);
	CU_ASSERT_EQUAL(conf.cpus[WEIR_CONF_WORKERS_MAX - 1], -1);
	CU_ASSERT_EQUAL(conf.memory_mb, 512);
	CU_ASSERT_TRUE(conf.is_hugepages_auto);
	CU_ASSERT_TRUE(conf.in_memory);
	CU_ASSERT_EQUAL(conf.idle, WEIR_IDLE_SLEEP);
	CU_ASSERT_EQUAL(conf.mbuf_data_room, 2176);
	CU_ASSERT_EQUAL(conf.tcp.sndbuf, 256 * 1024);
	CU_ASSERT_EQUAL(conf.tcp.rto_min_ms, 200);
	CU_ASSERT_EQUAL(conf.tcp.port_min, 32768);
	CU_ASSERT_EQUAL(conf.tcp.port_max, 60999);
	CU_ASSERT_EQUAL(conf.udp_rcvbuf, 256 * 1024);
	CU_ASSERT_EQUAL(conf.seed, 0);
}

static void
every_section_is_read(void)
{
	struct weir_conf conf;

	expect_ok(&conf,
		"# comment = not a key\n"
		"[stack]\nname = s1\nseed = 18446744073709551615\n"
		"[eal]\nmemory=64\nhugepages = no\nfile_prefix = x # and a comment\n"
		"in_memory = no\r\ntelemetry = no\nvdev = net_tap0,iface=weir0\n"
		"vdev1 = net_null0\npci = 0000:01:00.0, 0000:01:00.1,a=1,b=2\n"
		"extra = --log-level=7  --foo\n"
		"[workers]\ncount = 3\ncpus = 0-1, 0\nidle = poll\nidle_poll_us = 7\n"
		"[pools]\nmbufs = 4096\nmbuf_data_room = 3K\nsockets = 100\nconnections = 200\n"
		"[port tap0]\ndevice = net_tap0\naddress = 10.0.0.1/24, fd00::1/64\n"
		"mtu = 1400\nmss = 1300\nvlan = 5\nrx_descriptors = 64\ntx_descriptors = 128\n"
		"ipv6 = yes\naccept_ra = no\ndad = no\npromiscuous = yes\n"
		"offloads_off = tso, rss\n"
		"[ port   p1 ]\ndevice = 0000:01:00.0\n"
		"[port w]\ndriver = wire\ndevice = c0:a\n"
		"[route 1]\nnet = 0.0.0.0/0\ngateway = 10.0.0.254\nport = tap0\n"
		"[route six]\nnet = ::/0\ngateway = fe80::1\nport = tap0\n"
		"[neighbour n]\naddress = 10.0.0.7\nmac = 02:00:00:00:00:07\nport = tap0\n"
		"[tcp]\nsndbuf = 1M\nrcvbuf = 4096\ndelayed_ack_ms = 0\n"
		"ephemeral_ports = 1000-1000\ntimestamps = no\n"
		"window_scale_max = 7\nidle_restart = no\nreordering = 6\ndsack = no\n"
		"[udp]\nrcvbuf = 64K");
	CU_ASSERT_STRING_EQUAL(conf.name, "s1");
	CU_ASSERT_EQUAL(conf.seed, UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(conf.file, file_path);
	CU_ASSERT_EQUAL(conf.memory_mb, 64);
	CU_ASSERT_FALSE(conf.use_hugepages || conf.is_hugepages_auto || conf.in_memory);
	CU_ASSERT_STRING_EQUAL(conf.file_prefix, "x");
	CU_ASSERT_EQUAL(conf.n_vdevs, 2);
	CU_ASSERT_STRING_EQUAL(conf.vdevs[0], "net_tap0,iface=weir0");
	CU_ASSERT_STRING_EQUAL(conf.vdevs[1], "net_null0");
	CU_ASSERT_EQUAL(conf.n_pci, 2);
	CU_ASSERT_STRING_EQUAL(conf.pci[0], "0000:01:00.0");
	CU_ASSERT_STRING_EQUAL(conf.pci[1], "0000:01:00.1,a=1,b=2");
	CU_ASSERT_EQUAL(conf.n_workers, 3);
	CU_ASSERT_EQUAL(conf.cpus[1], 1);
	CU_ASSERT_EQUAL(conf.cpus[2], 0);
	CU_ASSERT_EQUAL(conf.cpus[3], -1);
	CU_ASSERT_EQUAL(conf.idle, WEIR_IDLE_POLL);
	CU_ASSERT_EQUAL(conf.mbuf_data_room, 3072);
	CU_ASSERT_EQUAL_FATAL(conf.n_ports, 3);
	CU_ASSERT_STRING_EQUAL(conf.ports[0].driver, "ethdev");
	CU_ASSERT_EQUAL(conf.ports[0].n_addrs, 2);
	CU_ASSERT_TRUE(is_addr(conf.ports[0].addrs[0].addr, "10.0.0.1"));
	CU_ASSERT_EQUAL(conf.ports[0].addrs[0].len, 120);
	CU_ASSERT_EQUAL(conf.ports[0].addrs[1].len, 64);
	CU_ASSERT_EQUAL(conf.ports[0].mtu, 1400);
	CU_ASSERT_EQUAL(conf.ports[0].mss, 1300);
	CU_ASSERT_EQUAL(conf.ports[0].vlan, 5);
	CU_ASSERT_EQUAL(conf.ports[0].rx_desc, 64);
	CU_ASSERT_EQUAL(conf.ports[0].tx_desc, 128);
	CU_ASSERT_TRUE(conf.ports[0].use_ipv6 && conf.ports[0].promisc);
	CU_ASSERT_FALSE(conf.ports[0].accept_ra || conf.ports[0].use_dad);
	CU_ASSERT_EQUAL(
		conf.ports[0].caps_off, WEIR_PORT_TX_TSO | WEIR_PORT_RSS | WEIR_PORT_RX_RSS_HASH);
	CU_ASSERT_STRING_EQUAL(conf.ports[1].name, "p1");
	CU_ASSERT_EQUAL(conf.ports[1].rx_desc, 512);
	CU_ASSERT_STRING_EQUAL(conf.ports[2].driver, "wire");
	CU_ASSERT_EQUAL_FATAL(conf.n_routes, 2);
	CU_ASSERT_EQUAL(conf.routes[0].net.len, 96);
	CU_ASSERT_TRUE(is_addr(conf.routes[0].gateway, "10.0.0.254"));
	CU_ASSERT_EQUAL(conf.routes[1].net.len, 0);
	CU_ASSERT_EQUAL_FATAL(conf.n_neighs, 1);
	CU_ASSERT_EQUAL(conf.neighs[0].mac[5], 7);
	CU_ASSERT_EQUAL(conf.tcp.sndbuf, 1024 * 1024);
	CU_ASSERT_EQUAL(conf.tcp.port_min, 1000);
	CU_ASSERT_FALSE(conf.tcp.timestamps);
	CU_ASSERT_TRUE(conf.tcp.window_scale);
	CU_ASSERT_EQUAL(conf.tcp.window_scale_max, 7);
	CU_ASSERT_FALSE(conf.tcp.idle_restart);
	CU_ASSERT_FALSE(conf.tcp.dsack);
	CU_ASSERT_TRUE(conf.tcp.frto);
	CU_ASSERT_EQUAL(conf.tcp.reordering, 6);
	CU_ASSERT_EQUAL(conf.udp_rcvbuf, 65536);
}

static void
a_value_set_by_a_program_is_as_one_in_a_file(void)
{
	struct weir_conf conf;

	weir_conf_default(&conf);
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "tcp", "sndbuf", "64K", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(conf.tcp.sndbuf, 65536);
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "port x", "device", "net_null0", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "port x", "mtu", "0", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(conf.n_ports, 1);
	CU_ASSERT_STRING_EQUAL(conf.ports[0].device, "net_null0");
	CU_ASSERT_EQUAL(conf.ports[0].tx_desc, 512);
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "eal", "vdev0", "net_null0", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "eal", "vdev0", "net_null1", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(conf.n_vdevs, 1);
	CU_ASSERT_STRING_EQUAL(conf.vdevs[0], "net_null1");
}

static void
a_value_is_set_by_one_text_as_well(void)
{
	struct weir_conf conf;

	weir_conf_default(&conf);
	CU_ASSERT_EQUAL(weir_conf_set_text(&conf, "port x.mtu=1", err, sizeof(err)), -EINVAL);
	CU_ASSERT_EQUAL(weir_conf_set_text(&conf, "port x.mtu=9000", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(conf.ports[0].mtu, 9000);
	CU_ASSERT_EQUAL(weir_conf_set_text(&conf, "port x.mtu=0", err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(weir_conf_set_text(&conf, "tcp.sndbuf", err, sizeof(err)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "tcp.sndbuf: allowed: SECTION.KEY=VALUE");
	CU_ASSERT_EQUAL(weir_conf_set_text(&conf, "sndbuf=1", err, sizeof(err)), -EINVAL);
}

static void
a_wrong_value_set_changes_nothing(void)
{
	struct weir_conf conf, before;

	weir_conf_default(&conf);
	before = conf;
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "port x", "mtu", "1", err, sizeof(err)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "[port x] mtu = 1: allowed: 0, or 68 to 9600");
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "tcp", "ephemeral_ports", "9-8", NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(memcmp(&conf, &before, sizeof(conf)), 0);
}

static void
a_short_message_buffer_is_kept_to(void)
{
	struct weir_conf conf;
	char small[8] = "1234567";

	weir_conf_default(&conf);
	CU_ASSERT_EQUAL(weir_conf_set(&conf, "tcp", "x", "y", small, 4), -EINVAL);
	CU_ASSERT_STRING_EQUAL(small, "[tc");
	CU_ASSERT_EQUAL(small[4], '5');
	CU_ASSERT_EQUAL(weir_conf_load(&conf, "/nonexistent", small, 4), -ENOENT);
	CU_ASSERT_STRING_EQUAL(small, "/no");
}

/* ---- mistakes of form ---- */

static void
a_file_that_cannot_be_read_is_an_error(void)
{
	struct weir_conf conf;

	weir_conf_default(&conf);
	CU_ASSERT_EQUAL(weir_conf_load(&conf, "/nonexistent/x", err, sizeof(err)), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err, "/nonexistent/x: No such file or directory");
	CU_ASSERT_EQUAL(weir_conf_load(&conf, "/tmp", err, sizeof(err)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "/tmp: not a regular file");
}

static void
lines_that_rte_cfgfile_would_skip_or_cut_are_errors(void)
{
	expect_load_error("[tcp]\nsndbuf 64K\n",
		"line 2: sndbuf 64K: allowed: [section], key = value, # comment");
	expect_load_error("sndbuf = 64K\n",
		"line 1: sndbuf = 64K: a key stands in a section, and none has begun");
	expect_load_error("[tcp]\n; x = y\n", "line 2: ; x = y: comments begin with #");
	expect_load_error("[eal]\nextra = a#b\n", "line 2: extra = a#b: a # that begins a comment "
						  "has a blank before it; values have none");
	expect_load_error("[eal]\nextra = a\\#b\n",
		"line 2: extra = a\\#b: a # that begins a comment has a blank before it; values "
		"have none");
	expect_load_error("[eal]\nextra =\n",
		"line 2: extra: the value is missing; for an empty one say none");
	expect_load_error("[eal]\nextra = # x\n",
		"line 2: extra: the value is missing; for an empty one say none");
	expect_load_error("[eal]\n= x\n", "line 2: =: a key has 1 to 63 characters");
	expect_load_error("[tcp] sndbuf = 1\n",
		"line 1: [tcp] sndbuf = 1: a section is [name] on a line of its own");
	expect_load_error("[tcp\n", "line 1: [tcp: a section is [name] on a line of its own");
	expect_load_error("[ ]\n", "line 1: []: a section has a name of 1 to 63 characters");
	expect_load_error(
		"[stack]\nname = a\x1b[31m\n", "line 2: has a character that is not text");
}

static void
a_nul_byte_is_an_error(void)
{
	static const char text[] = "[tcp]\nsndbuf = 64K\0\n";
	struct weir_conf conf;

	expect_message(load_bytes(&conf, text, sizeof(text) - 1),
		"line 2: has a character that is not text");
}

static void
too_long_lines_names_and_values_are_errors(void)
{
	char text[1024], x[400];

	memset(x, 'x', sizeof(x));
	x[320] = '\0';
	snprintf(text, sizeof(text), "# %s\n", x);
	expect_load_error(text, "line 1: a line has at most 320 characters");
	x[256] = '\0';
	snprintf(text, sizeof(text), "[eal]\nextra = %s\n", x);
	expect_load_error(text, "line 2: extra: a value has at most 255 characters");
	x[64] = '\0';
	snprintf(text, sizeof(text), "[eal]\n%s = 1\n", x);
	expect_load_error(text, "line 2: =: a key has 1 to 63 characters");
	snprintf(text, sizeof(text), "[port %s]\n", x);
	expect_load_error(text, "line 1: []: a section has a name of 1 to 63 characters");
	x[32] = '\0';
	snprintf(text, sizeof(text), "[port %s]\n", x);
	expect_load_error(text, "[port xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx]: allowed: [port NAME], "
				"NAME up to 31 letters, digits and . _ -");
}

static void
the_longest_line_and_value_are_read_whole(void)
{
	struct weir_conf conf;
	char text[512], x[256];

	memset(x, 'x', sizeof(x) - 1);
	x[sizeof(x) - 1] = '\0';
	snprintf(text, sizeof(text), "[eal]\n%45sextra = %s%s\n", "", x, "  # comment");
	expect_ok(&conf, text);
	CU_ASSERT_STRING_EQUAL(conf.eal_extra, x);
}

static void
unknown_and_repeated_names_are_errors(void)
{
	expect_load_error("[tpc]\n", "[tpc]: no such section; the nearest is [tcp]");
	expect_load_error("[prt x]\n", "[prt x]: no such section; the nearest is [port]");
	expect_load_error("[tcp x]\n", "[tcp x]: allowed: [tcp], without a name");
	expect_load_error("[port]\n", "[port]: allowed: [port NAME], NAME up to 31 letters, digits "
				      "and . _ -");
	expect_load_error(
		"[tcp]\nsnd_buf = 1\n", "[tcp] snd_buf = 1: no such key; the nearest is sndbuf");
	expect_load_error(PORT "promisc = yes\n",
		"[port p] promisc = yes: no such key; the nearest is promiscuous");
	expect_load_error("[eal]\nvdev4294967296 = net_null0\n",
		"[eal] vdev4294967296 = net_null0: no such key; the nearest is vdev");
	expect_load_error("[eal]\nvdev16 = net_null0\n",
		"[eal] vdev16 = net_null0: no such key; the nearest is vdev");
	expect_load_error(
		"[tcp]\nsndbuf = 64K\nsndbuf = 64K\n", "[tcp] sndbuf = 64K: allowed: once");
	expect_load_error("[eal]\nvdev = net_null0\nvdev0 = net_null1\n",
		"[eal] vdev0 = net_null1: allowed: once");
	expect_load_error("[tcp]\n[udp]\n[tcp]\n", "[tcp]: allowed: once in a file");
	expect_load_error(PORT "[port  p]\n", "[port  p]: allowed: once in a file");
}

static void
missing_keys_are_errors(void)
{
	expect_load_error("[port p]\n", "[port p] device: missing; allowed: a vdev's name, a PCI "
					"address, or a cable's end (c0:a, c0:b)");
	expect_load_error("[route r]\nnet = ::/0\n",
		"[route r] port: missing; allowed: a name: up to 31 letters, digits and . _ -");
	expect_load_error("[neighbour n]\naddress = ::1\nport = p\n",
		"[neighbour n] mac: missing; allowed: a MAC address: 02:00:00:00:00:01");
}

static void
too_many_sections_are_an_error(void)
{
	char text[2048];
	size_t at = 0;

	for (unsigned int i = 0; i <= WEIR_CONF_PORTS_MAX; i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "[port p%u]\ndevice = d%u\n", i, i);
	expect_load_error(text, "[port p16]: allowed: at most 16 such sections");
}

/* ---- mistakes of values ---- */

static void
each_kind_of_value_says_what_is_allowed(void)
{
	static const char names[] = "a name: up to 31 letters, digits and . _ -";
	static const char sizes[] = "bytes, 4K to 1024M";

	expect_value_error("stack", "name", "a b", names);
	expect_value_error("stack", "name", "-a", names);
	expect_value_error("stack", "seed", "18446744073709551616", "0 to 18446744073709551615");
	expect_value_error("stack", "seed", "-1", "0 to 18446744073709551615");
	expect_value_error("workers", "count", "0", "1 to 64");
	expect_value_error("workers", "count", "65", "1 to 64");
	expect_value_error("workers", "count", "1x", "1 to 64");
	expect_value_error("workers", "count", "0x1", "1 to 64");
	expect_value_error("workers", "idle", "spin", "poll or sleep");
	expect_value_error("workers", "cpus", "0,,1", "a CPU for each worker: 2,3 or 2-3; or any");
	expect_value_error("workers", "cpus", "3-2", "a CPU for each worker: 2,3 or 2-3; or any");
	expect_value_error("workers", "cpus", "0-64", "a CPU for each worker: 2,3 or 2-3; or any");
	expect_value_error("eal", "hugepages", "maybe", "yes, no or auto");
	expect_value_error("eal", "in_memory", "true", "yes or no");
	expect_value_error("eal", "vdev", ",iface=x",
		"a DPDK device with its parameters: net_tap0,iface=weir0");
	expect_value_error("eal", "pci", "01:00.0",
		"PCI addresses: 0000:01:00.0, 0000:01:00.1,parameter=1; or none");
	expect_value_error("eal", "pci", "a=1",
		"PCI addresses: 0000:01:00.0, 0000:01:00.1,parameter=1; or none");
	expect_value_error("tcp", "sndbuf", "4095", sizes);
	expect_value_error("tcp", "sndbuf", "1025M", sizes);
	expect_value_error("tcp", "sndbuf", "64KB", sizes);
	expect_value_error("tcp", "sndbuf", "18446744073709551615M", sizes);
	expect_value_error("tcp", "sndbuf", "17592186044417M", sizes); /* 2^64 + 1M */
	expect_value_error("tcp", "sndbuf", "K", sizes);
	expect_value_error("pools", "mbuf_data_room", "64K", "bytes, 1K to 65535");
	expect_value_error("tcp", "ephemeral_ports", "2-1", "first-last within 1 to 65535");
	expect_value_error("tcp", "ephemeral_ports", "0-1", "first-last within 1 to 65535");
	expect_value_error("tcp", "ephemeral_ports", "1-65536", "first-last within 1 to 65535");
	expect_value_error("tcp", "ephemeral_ports", "1", "first-last within 1 to 65535");
	expect_value_error("port p", "driver", "dpdk", "ethdev or wire");
	expect_value_error("port p", "mtu", "67", "0, or 68 to 9600");
	expect_value_error("port p", "vlan", "4095", "0 to 4094");
	expect_value_error("port p", "address", "10.0.0.1",
		"addresses with prefix length: 10.0.0.1/24, fd00::1/64; or none");
	expect_value_error("port p", "address", "10.0.0.1/33",
		"addresses with prefix length: 10.0.0.1/24, fd00::1/64; or none");
	expect_value_error("port p", "address", "10.0.0.1/24,",
		"addresses with prefix length: 10.0.0.1/24, fd00::1/64; or none");
	expect_value_error("port p", "offloads_off", "tso rss",
		"none, or some of rx_checksum, tx_checksum, tso, lro, rss, multi_seg, vlan");
	expect_value_error("route r", "net", "10.0.0.1/24",
		"a network with prefix length: 0.0.0.0/0, fd01::/48");
	expect_value_error("route r", "gateway", "10.0.0", "an IPv4 or IPv6 address, or none");
	expect_value_error("neighbour n", "address", "none", "an IPv4 or IPv6 address");
	expect_value_error(
		"neighbour n", "mac", "02:00:00:00:00", "a MAC address: 02:00:00:00:00:01");
}

/* ---- mistakes of the whole ---- */

static void
workers_need_a_cpu_each(void)
{
	expect_check_error("[workers]\ncount = 2\ncpus = 0\n",
		"[workers] cpus: names 1 for count = 2; allowed: one for each worker");
	expect_check_error("[workers]\ncpus = 0,1\n",
		"[workers] cpus: names 2 for count = 1; allowed: one for each worker");
	expect_check_error("[eal]\nlcores = 0-1\n[workers]\ncpus = 0\n",
		"[eal] lcores = 0-1: allowed: lcores or [workers] cpus, not both");
}

static void
devices_are_distinct_and_named(void)
{
	expect_check_error("[eal]\nvdev1 = net_null0\n",
		"[eal] vdev0: missing; numbers begin with 0 and leave none out");
	expect_check_error("[eal]\nvdev = net_null0,copy=1\nvdev1 = net_null0\n",
		"[eal] vdev = net_null0: allowed: each device once");
	expect_check_error("[eal]\npci = 0000:01:00.0, 0000:01:00.0\n",
		"[eal] pci = 0000:01:00.0: allowed: each device once");
	expect_check_error("[eal]\nvdev = net_null1\n" PORT,
		"[port p] device = net_null0: allowed: a device that [eal] vdev names");
	expect_check_error("[eal]\nvdev = net_null1\n[port p]\ndevice = 0000:01:00.0\n",
		"[port p] device = 0000:01:00.0: allowed: a device that [eal] pci names");
	expect_check_error(PORT "[port q]\ndevice = net_null0\n",
		"[port q] device = net_null0: allowed: a device of its own; [port p] has this one");
	expect_check_error("[port p]\ndriver = wire\ndevice = c0\n",
		"[port p] device = c0: allowed: a cable's end: c0:a or c0:b");
}

static void
port_addresses_are_those_of_one_host(void)
{
	static const char *const wrong[] = {"0.0.0.0/0", "::/64", "224.0.0.1/24", "ff02::1/64",
		"127.0.0.1/8", "::1/128", "255.255.255.255/32"};

	for (unsigned int i = 0; i < RTE_DIM(wrong); i++) {
		char text[128], message[128];

		snprintf(text, sizeof(text), PORT "address = %s\n", wrong[i]);
		snprintf(message, sizeof(message),
			"[port p] address = %s: allowed: the address of one host", wrong[i]);
		expect_check_error(text, message);
	}
	expect_check_error(PORT "address = 10.0.0.0/24\n",
		"[port p] address = 10.0.0.0/24: is the network or its broadcast; allowed: the "
		"address of one host");
	expect_check_error(PORT "address = 10.0.0.255/24\n",
		"[port p] address = 10.0.0.255/24: is the network or its broadcast; allowed: the "
		"address of one host");
	expect_check_error(PORT "address = 10.0.0.1/24\n"
				"[port q]\ndevice = net_null1\naddress = 10.0.0.1/16\n",
		"[port p] address = 10.0.0.1/24: allowed: each address once");
}

static void
point_to_point_addresses_are_right(void)
{
	struct weir_conf conf;

	expect_ok(&conf, PORT "address = 10.0.0.0/31, 10.0.0.255/32, fd00::/127\n");
}

static void
mtu_below_1280_needs_ipv6_off(void)
{
	struct weir_conf conf;

	expect_check_error(
		PORT "mtu = 1279\n", "[port p] mtu = 1279: allowed: 1280 or more with ipv6 = yes");
	expect_ok(&conf, PORT "mtu = 1279\nipv6 = no\n");
}

static void
routes_lead_to_a_neighbour_of_the_port(void)
{
#define NET PORT "address = 10.0.0.1/24\n[route r]\n"
	expect_check_error(NET "net = 0.0.0.0/0\nport = q\n",
		"[route r] port = q: allowed: the NAME of a [port NAME]");
	expect_check_error(NET "net = 0.0.0.0/0\nport = p\ngateway = 10.0.1.1\n",
		"[route r] gateway = 10.0.1.1: allowed: an address inside a network of the port");
	expect_check_error(NET "net = 0.0.0.0/0\nport = p\ngateway = 10.0.0.1\n",
		"[route r] gateway = 10.0.0.1: is our own; allowed: another host's");
	expect_check_error(NET "net = 0.0.0.0/0\nport = p\ngateway = 224.0.0.1\n",
		"[route r] gateway = 224.0.0.1: allowed: the address of one host");
	expect_check_error(NET "net = ::/0\nport = p\ngateway = 10.0.0.2\n",
		"[route r] gateway = 10.0.0.2: allowed: an address of the same IP version as net");
	expect_check_error(NET "net = 1.0.0.0/8\nport = p\n[route s]\nnet = 1.0.0.0/8\nport = p\n",
		"[route s] net = 1.0.0.0/8: allowed: each network once");
#undef NET
}

static void
neighbours_are_hosts_on_the_link(void)
{
#define NET PORT "address = 10.0.0.1/24\n[neighbour n]\nport = p\n"
#define MAC "mac = 02:00:00:00:00:01\n"
	expect_check_error(NET "address = 10.0.0.2\nmac = 01:00:00:00:00:01\n",
		"[neighbour n] mac: allowed: the address of one host");
	expect_check_error(NET "address = 10.0.0.2\nmac = 00:00:00:00:00:00\n",
		"[neighbour n] mac: allowed: the address of one host");
	expect_check_error(NET MAC "address = 10.0.1.2\n",
		"[neighbour n] address = 10.0.1.2: allowed: an address inside a network of the "
		"port");
	expect_check_error(NET MAC "address = ff02::2\n",
		"[neighbour n] address = ff02::2: allowed: the address of one host");
	expect_check_error(NET MAC "address = 10.0.0.2\n"
				   "[neighbour m]\nport = p\naddress = 10.0.0.2\n" MAC,
		"[neighbour m] address = 10.0.0.2: allowed: each address once");
#undef NET
#undef MAC
}

static void
pools_hold_what_the_queues_take(void)
{
	struct weir_conf conf;

	expect_check_error("[pools]\nmbufs = 1535\n" PORT,
		"[pools] mbufs = 1535: allowed: 1536 or more with these ports and descriptors");
	expect_ok(&conf, "[pools]\nmbufs = 1536\n" PORT);
}

static void
timeouts_are_in_order(void)
{
	expect_check_error("[tcp]\nrto_min_ms = 2000\nrto_max_ms = 1000\n",
		"[tcp] rto_max_ms = 1000: allowed: no less than rto_min_ms and rto_initial_ms");
}

static void
fastopen_key_is_32_digits(void)
{
	static const char *const wrong[] = {"a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d",
		"a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4d4", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4", "secret"};

	for (unsigned int i = 0; i < RTE_DIM(wrong); i++) {
		char text[128], want[160];

		snprintf(text, sizeof(text), "[tcp]\nfastopen_key = %s\n", wrong[i]);
		snprintf(want, sizeof(want),
			"[tcp] fastopen_key = %s: allowed: 32 hexadecimal digits, or none",
			wrong[i]);
		expect_check_error(text, want);
	}
}

/* What no file can say, a program's struct can. */
static void
structs_are_judged_as_files_are(void)
{
	struct weir_conf conf;

	weir_conf_default(&conf);
	conf.n_workers = 65;
	CU_ASSERT_EQUAL(weir_conf_check(&conf, err, sizeof(err)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "[workers] count: allowed: 1 to 64");
	weir_conf_default(&conf);
	conf.n_ports = WEIR_CONF_PORTS_MAX + 1;
	CU_ASSERT_EQUAL(weir_conf_check(&conf, err, sizeof(err)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "[port NAME]: allowed: at most 16 such sections");
	weir_conf_default(&conf);
	conf.n_ports = 1;
	CU_ASSERT_EQUAL(weir_conf_check(&conf, err, sizeof(err)), -EINVAL);
	weir_conf_default(&conf);
	memset(conf.name, 'x', sizeof(conf.name));
	CU_ASSERT_EQUAL(weir_conf_check(&conf, err, sizeof(err)), -EINVAL);
	weir_conf_default(&conf);
	conf.idle = (enum weir_idle)2;
	CU_ASSERT_EQUAL(weir_conf_check(&conf, err, sizeof(err)), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err, "[workers] idle: allowed: poll or sleep");
}

/* ---- EAL arguments ---- */

/* The arguments for conf on m, joined by blanks, are these. */
static void
expect_args(const struct weir_conf *conf, const struct conf_machine *m, const char *expected)
{
	char *argv[WEIR_CONF_EAL_MAX], text[4096], joined[4096] = "";
	const int n = conf_eal_args(conf, m, "prog", argv, text, sizeof(text));

	CU_ASSERT_FATAL(n > 0);
	CU_ASSERT_PTR_NULL(argv[n]);
	for (int i = 0; i < n; i++) {
		strcat(joined, i > 0 ? " " : "");
		strcat(joined, argv[i]);
	}
	if (strcmp(joined, expected) != 0)
		printf("\n  got:  %s\n  want: %s", joined, expected);
	CU_ASSERT_STRING_EQUAL(joined, expected);
}

static const struct conf_machine two_cpus = {2, {0, 1}, 0, false};

static void
workers_share_cpus_in_turn(void)
{
	struct weir_conf conf;

	expect_ok(&conf, "[workers]\ncount = 4\n[eal]\ntelemetry = no\n");
	expect_args(&conf, &two_cpus,
		"prog --lcores=0@(0-1),1@0,2@1,3@0,4@1 -m 512 --no-huge --no-shconf "
		"--file-prefix=weir --no-pci --no-telemetry");
}

static void
the_control_thread_keeps_off_the_workers_cpus(void)
{
	static const struct conf_machine six = {6, {0, 1, 2, 4, 5, 9}, 0, false};
	struct weir_conf conf;

	expect_ok(&conf, "[workers]\ncount = 2\ncpus = 1,9\n");
	expect_args(&conf, &six,
		"prog --lcores=0@(0,2,4-5),1@1,2@9 -m 512 --no-huge --no-shconf "
		"--file-prefix=weir --no-pci");
	expect_ok(&conf, "[workers]\ncount = 1\n");
	expect_args(&conf, &two_cpus,
		"prog --lcores=0@(0),1@1 -m 512 --no-huge --no-shconf --file-prefix=weir --no-pci");
}

static void
devices_and_extra_arguments_follow(void)
{
	struct weir_conf conf;

	expect_ok(&conf, "[eal]\nlcores = 0-1\nin_memory = no\nmemory = 64\nhugepages = yes\n"
			 "vdev = net_tap0,iface=weir0\nvdev1 = net_null0\n"
			 "pci = 0000:01:00.0, 0000:02:00.0,x=1\n"
			 "extra = --log-level=7   --iova-mode=va\n");
	expect_args(&conf, &two_cpus,
		"prog --lcores=0-1 -m 64 --file-prefix=weir --allow=0000:01:00.0 "
		"--allow=0000:02:00.0,x=1 --vdev=net_tap0,iface=weir0 --vdev=net_null0 "
		"--log-level=7 --iova-mode=va");
}

static void
hugepages_are_used_when_enough_are_free(void)
{
	static const struct {
		uint64_t free_mb;
		bool has_mount;
		bool in_memory;
		bool is_used;
	} cases[] = {{511, true, true, false}, {512, false, true, true}, {512, false, false, false},
		{512, true, false, true}};

	for (unsigned int i = 0; i < RTE_DIM(cases); i++) {
		struct conf_machine m = two_cpus;
		char *argv[WEIR_CONF_EAL_MAX], text[4096];
		bool is_off = false;
		struct weir_conf conf;
		int n;

		m.huge_free_mb = cases[i].free_mb;
		m.has_hugetlbfs = cases[i].has_mount;
		weir_conf_default(&conf);
		conf.in_memory = cases[i].in_memory;
		n = conf_eal_args(&conf, &m, "prog", argv, text, sizeof(text));
		for (int j = 0; j < n; j++)
			is_off |= strcmp(argv[j], "--no-huge") == 0;
		CU_ASSERT_EQUAL(is_off, !cases[i].is_used);
	}
}

static void
memory_without_hugepages_leaves_no_files_either(void)
{
	struct conf_machine m = two_cpus;
	struct weir_conf conf;

	expect_ok(&conf, "[eal]\nlcores = 0-1\nhugepages = yes\n");
	expect_args(&conf, &m, "prog --lcores=0-1 -m 512 --in-memory --file-prefix=weir --no-pci");
	expect_ok(&conf, "[eal]\nlcores = 0-1\nhugepages = no\n");
	expect_args(&conf, &m,
		"prog --lcores=0-1 -m 512 --no-huge --no-shconf --file-prefix=weir --no-pci");
}

static void
arguments_that_do_not_fit_are_refused(void)
{
	char *argv[WEIR_CONF_EAL_MAX], text[4096];
	struct weir_conf conf;

	weir_conf_default(&conf);
	CU_ASSERT_EQUAL(weir_conf_eal_args(&conf, "prog", argv, text, 40), -ENOSPC);
	CU_ASSERT(weir_conf_eal_args(&conf, "prog", argv, text, sizeof(text)) > 0);
	for (unsigned int i = 0; i < WEIR_CONF_TEXT_MAX - 2; i += 2)
		memcpy(conf.eal_extra + i, "x ", 3);
	CU_ASSERT_EQUAL(weir_conf_eal_args(&conf, "prog", argv, text, sizeof(text)), -ENOSPC);
}

/* ---- the machine ---- */

static void
lists_of_numbers_are_read(void)
{
	int ids[4];

	CU_ASSERT_EQUAL(weir_sys_list("0-2,7", ids, 4), 4);
	CU_ASSERT_EQUAL(ids[2], 2);
	CU_ASSERT_EQUAL(ids[3], 7);
	CU_ASSERT_EQUAL(weir_sys_list(" 3 , 3 ", ids, 4), 2);
	CU_ASSERT_EQUAL(weir_sys_list("0-4", ids, 4), -ENOSPC);
	CU_ASSERT_EQUAL(weir_sys_list("", ids, 4), -EINVAL);
	CU_ASSERT_EQUAL(weir_sys_list("1,", ids, 4), -EINVAL);
	CU_ASSERT_EQUAL(weir_sys_list("-1", ids, 4), -EINVAL);
	CU_ASSERT_EQUAL(weir_sys_list("99999999999999999999", ids, 4), -EINVAL);
}

static void
a_directory_tree_stands_for_the_machine(void)
{
	char root[] = "/tmp/weir-test-root.XXXXXX", command[512], text[64];
	struct weir_hugepages huge;
	int64_t value;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	snprintf(command, sizeof(command),
		"cd %s && mkdir -p sys/bus/pci/devices/0000:01:00.0 "
		"sys/kernel/mm/hugepages/hugepages-2048kB sys/devices/system/cpu/cpu3/node1 && "
		"echo 1 > sys/bus/pci/devices/0000:01:00.0/numa_node && echo 8 | tee "
		"sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages > "
		"sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages && ln -s ../x/vfio-pci "
		"sys/driver",
		root);
	CU_ASSERT_EQUAL_FATAL(system(command), 0);
	CU_ASSERT_EQUAL(weir_numa_of_pci(root, "0000:01:00.0,x=1"), 1);
	CU_ASSERT_EQUAL(weir_numa_of_pci(root, "0000:02:00.0"), SOCKET_ID_ANY);
	CU_ASSERT_EQUAL(weir_numa_of_cpu(root, 3), 1);
	CU_ASSERT_EQUAL(weir_numa_of_cpu(root, 4), SOCKET_ID_ANY);
	weir_sys_hugepages(&huge, root);
	CU_ASSERT_EQUAL(huge.n_sizes, 1);
	CU_ASSERT_EQUAL(huge.sizes[0].kb, 2048);
	CU_ASSERT_EQUAL(weir_hugepages_free_mb(&huge), 16);
	CU_ASSERT_EQUAL(weir_sys_link(text, sizeof(text), root, "/sys/driver"), 0);
	CU_ASSERT_STRING_EQUAL(text, "vfio-pci");
	CU_ASSERT_EQUAL(weir_sys_number(&value, root, "/none"), -ENOENT);
	CU_ASSERT_EQUAL(weir_sys_hugetlbfs(text, sizeof(text), root), -ENOENT);
	snprintf(command, sizeof(command), "rm -r %s", root);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void
the_reference_names_every_key_once(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	weir_conf_print_keys(out);
	fclose(out);
	for (const struct conf_section *s = conf_sections; s->name != NULL; s++)
		for (const struct conf_key *k = s->keys; k->name != NULL; k++)
			CU_ASSERT_PTR_NOT_NULL(strstr(text, k->help));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  sndbuf = 256K\n"));
	free(text);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(defaults_are_right_and_run_one_worker),
		UNIT(every_section_is_read),
		UNIT(a_value_set_by_a_program_is_as_one_in_a_file),
		UNIT(a_value_is_set_by_one_text_as_well),
		UNIT(a_wrong_value_set_changes_nothing),
		UNIT(a_short_message_buffer_is_kept_to),
		UNIT(a_file_that_cannot_be_read_is_an_error),
		UNIT(lines_that_rte_cfgfile_would_skip_or_cut_are_errors),
		UNIT(a_nul_byte_is_an_error),
		UNIT(too_long_lines_names_and_values_are_errors),
		UNIT(the_longest_line_and_value_are_read_whole),
		UNIT(unknown_and_repeated_names_are_errors),
		UNIT(missing_keys_are_errors),
		UNIT(too_many_sections_are_an_error),
		UNIT(each_kind_of_value_says_what_is_allowed),
		UNIT(workers_need_a_cpu_each),
		UNIT(devices_are_distinct_and_named),
		UNIT(port_addresses_are_those_of_one_host),
		UNIT(point_to_point_addresses_are_right),
		UNIT(mtu_below_1280_needs_ipv6_off),
		UNIT(routes_lead_to_a_neighbour_of_the_port),
		UNIT(neighbours_are_hosts_on_the_link),
		UNIT(pools_hold_what_the_queues_take),
		UNIT(timeouts_are_in_order),
		UNIT(fastopen_key_is_32_digits),
		UNIT(structs_are_judged_as_files_are),
		UNIT(workers_share_cpus_in_turn),
		UNIT(the_control_thread_keeps_off_the_workers_cpus),
		UNIT(devices_and_extra_arguments_follow),
		UNIT(hugepages_are_used_when_enough_are_free),
		UNIT(memory_without_hugepages_leaves_no_files_either),
		UNIT(arguments_that_do_not_fit_are_refused),
		UNIT(lists_of_numbers_are_read),
		UNIT(a_directory_tree_stands_for_the_machine),
		UNIT(the_reference_names_every_key_once),
		{NULL, NULL},
	};

	return unit_main("conf", tests, false);
}
