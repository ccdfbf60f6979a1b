/* SPDX-License-Identifier: BSD-3-Clause */
/* What --so_flags says: "local=192.168.0.1;remote=192.0.2.1;sack=off". */
#include "pd.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "weir_addr.h"

#define PORT "port pd"
#define LOCAL                                                                              \
	"192.168.0.1,fd3d:a0b:17d6::1" /* as the tool's own defaults, where they are fixed \
					*/
#define REMOTE	   "192.0.2.1,2001:db8::1"
#define REMOTE_MAC "02:00:00:00:00:02"
#define SCALE_MAX  14
#define EAL	   "--no-huge --no-pci --no-telemetry --no-shconf -m 256"
/* Scripts for Linux expect scale 8, and its HyStart. */
#define DEFAULTS                                                                            \
	"local=" LOCAL ";remote=" REMOTE ";eal=" EAL                                        \
	";wscale=8;sndbuf_max=0;rcvbuf_max=0;seed=1;timeout=8s;sockets=1024;fastopen=1027;" \
	"hystart=linux;fastopen_key=a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4"

/* Where a message goes. */
struct report {
	char *err;
	size_t len;
};

struct knob {
	const char *name;
	int (*set)(struct pd_knobs *k, const struct knob *knob, const char *value,
		const struct report *r);
	const char *section;
	const char *key;
};

static int fail(const struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
fail(const struct report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->err, r->len, fmt, ap);
	va_end(ap);
	return -1;
}

static int
set(struct pd_knobs *k, const char *section, const char *key, const char *value,
	const struct report *r)
{
	return weir_conf_set(&k->conf, section, key, value, r->err, r->len) == 0 ? 0 : -1;
}

/* Values */

static int
set_text(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	return set(k, knob->section, knob->key, value, r);
}

/* @return 1, 0, or -1: neither on nor off */
static int
as_switch(const char *value)
{
	static const char *const words[2][4] = {
		{"off", "no", "0", "false"}, {"on", "yes", "1", "true"}};

	for (int on = 0; on < 2; on++)
		for (unsigned int i = 0; i < RTE_DIM(words[on]); i++)
			if (strcmp(value, words[on][i]) == 0)
				return on;
	return -1;
}

static int
set_switch(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	const int on = as_switch(value);

	if (on < 0)
		return fail(r, "%s=%s: allowed: on or off", knob->name, value);
	return set(k, knob->section, knob->key, on ? "yes" : "no", r);
}

/* Milliseconds of "40", "40ms", "1s", "1.5s", "200000us"; -1: not a time. */
static double
as_ms(const char *value)
{
	char *unit;
	const double v = strtod(value, &unit);

	if (!isdigit((unsigned char)value[0]))
		return -1;
	if (*unit == '\0' || strcmp(unit, "ms") == 0)
		return v;
	if (strcmp(unit, "s") == 0)
		return v * 1000;
	return strcmp(unit, "us") == 0 ? v / 1000 : -1;
}

static int
set_time(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	const double ms = as_ms(value);
	char text[32];

	if (ms < 0)
		return fail(r, "%s=%s: allowed: a time such as 200ms or 1.5s", knob->name, value);
	snprintf(text, sizeof(text), "%.0f", ms);
	return set(k, knob->section, knob->key, text, r);
}

/* A time, or on (as it is) or off. */
static int
set_delack(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	if (strcmp(value, "on") == 0)
		return 0;
	return strcmp(value, "off") == 0 ? set(k, knob->section, knob->key, "0", r)
					 : set_time(k, knob, value, r);
}

/* A switch, a value of the key, or a number of Linux's tcp_ecn. */
static int
set_ecn(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	static const char *const words[] = {
		"passive", "accurate", "accurate-accept", "accurate-passive"};
	const bool is_digit = value[0] >= '2' && value[0] <= '5' && value[1] == '\0';

	if (as_switch(value) >= 0)
		return set_switch(k, knob, value, r);
	return set(k, knob->section, knob->key, is_digit ? words[value[0] - '2'] : value, r);
}

/* As Linux's sysctl has it. */
static int
set_mtu_probing(
	struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	static const char *const words[] = {"never", "black-hole", "always"};
	const bool is_digit = value[0] >= '0' && value[0] <= '2' && value[1] == '\0';

	return set(k, knob->section, knob->key, is_digit ? words[value[0] - '0'] : value, r);
}

static int
set_number(struct pd_knobs *k, const char *section, const char *key, uint64_t v,
	const struct report *r)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	return set(k, section, key, text, r);
}

/* A window is half of the memory behind it. */
static int
set_window(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	char *end;
	const unsigned long long v = strtoull(value, &end, 10);

	if (!isdigit((unsigned char)value[0]) || *end != '\0')
		return fail(r, "%s=%s: allowed: bytes", knob->name, value);
	return set_number(k, "tcp", "rcvbuf", 2 * v, r);
}

/* The scale follows from the memory: what needs just this scale. */
static int
set_wscale(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	char *end;
	const unsigned long v = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)value[0]) || *end != '\0' || v > SCALE_MAX)
		return fail(r, "%s=%s: allowed: 0 to %d", knob->name, value, SCALE_MAX);
	return set_number(k, "tcp", "window_scale_max", v, r) != 0
		       ? -1
		       : set_number(k, "tcp", "rcvbuf", UINT64_C(2) * UINT16_MAX << v, r);
}

static int
set_timeout(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	const double ms = as_ms(value);

	if (ms <= 0)
		return fail(r, "%s=%s: allowed: a time such as 8s", knob->name, value);
	k->patience_us = (uint64_t)(ms * 1000);
	return 0;
}

static int
set_eal(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	if (snprintf(k->eal, sizeof(k->eal), "%s", value) >= (int)sizeof(k->eal))
		return fail(r, "%s: longer than %zu characters", knob->name, sizeof(k->eal) - 1);
	return 0;
}

/* Addresses */

/* Without a prefix, everything is on the link. */
static int
set_local(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	char list[WEIR_CONF_TEXT_MAX] = "", copy[WEIR_CONF_TEXT_MAX], *rest = copy, *addr;
	size_t len = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((addr = strsep(&rest, ", ")) != NULL) {
		if (*addr == '\0' || len >= sizeof(list))
			continue;
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s%s",
			len > 0 ? "," : "", addr, strchr(addr, '/') == NULL ? "/0" : "");
	}
	k->conf.ports[0].n_addrs = 0;
	return set(k, PORT, "address", list, r);
}

/* A neighbour that need not be asked for: nobody would answer. */
static int
add_neigh(struct pd_knobs *k, const char *addr, const struct report *r)
{
	char section[32];

	snprintf(section, sizeof(section), "neighbour r%u", k->conf.n_neighs);
	if (set(k, section, "address", addr, r) != 0 || set(k, section, "port", "pd", r) != 0)
		return -1;
	return set(k, section, "mac", REMOTE_MAC, r);
}

static int
set_remote(struct pd_knobs *k, const struct knob *knob, const char *value, const struct report *r)
{
	char copy[WEIR_CONF_TEXT_MAX], *rest = copy, *addr;
	int rc = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	k->conf.n_neighs = 0;
	while ((addr = strsep(&rest, ", ")) != NULL && rc == 0) {
		addr[strcspn(addr, "/")] = '\0';
		rc = *addr != '\0' ? add_neigh(k, addr, r) : 0;
	}
	return rc;
}

/* The local address of addr's family, or NULL. */
static const struct weir_conf_prefix *
local_of(const struct pd_knobs *k, const struct weir_addr *addr)
{
	for (unsigned int i = 0; i < k->conf.ports[0].n_addrs; i++) {
		const struct weir_addr own = weir_addr_v6(k->conf.ports[0].addrs[i].addr);

		if (weir_addr_is_v4(&own) == weir_addr_is_v4(addr))
			return &k->conf.ports[0].addrs[i];
	}
	return NULL;
}

/* The first host of own's network that is not own. */
static struct weir_addr
first_host(const struct weir_conf_prefix *own)
{
	struct weir_addr a = weir_addr_v6(own->addr);

	for (unsigned int bit = own->len; bit < 128; bit++)
		a.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	a.b[15] |= own->addr[15] == (a.b[15] | 1) ? 2 : 1;
	return a;
}

/* What neighbour n is reached through, if it is not on the link: a gateway takes its place. */
static int
use_gateway(struct pd_knobs *k, struct weir_conf_neigh *n, const struct report *r)
{
	const struct weir_addr addr = weir_addr_v6(n->addr);
	const struct weir_conf_prefix *own = local_of(k, &addr);
	const struct weir_addr local = weir_addr_v6(own->addr);
	const struct weir_addr gateway = first_host(own);
	char text[WEIR_ADDR_STRLEN];

	if (weir_addr_in_prefix(&local, &addr, own->len))
		return 0;
	memcpy(n->addr, gateway.b, sizeof(n->addr));
	return set(k, weir_addr_is_v4(&gateway) ? "route v4" : "route v6", "gateway",
		weir_addr_format(&gateway, text), r);
}

/* Neighbours as they are on the link, each once, none of a family without a local address. */
static int
set_neighs(struct pd_knobs *k, const struct report *r)
{
	struct weir_conf_neigh *all = k->conf.neighs;
	unsigned int n = 0;

	for (unsigned int i = 0; i < k->conf.n_neighs; i++) {
		const struct weir_addr addr = weir_addr_v6(all[i].addr);
		unsigned int same = 0;

		if (local_of(k, &addr) == NULL)
			continue;
		if (use_gateway(k, &all[i], r) != 0)
			return -1;
		while (same < n && memcmp(all[same].addr, all[i].addr, 16) != 0)
			same++;
		if (same == n)
			all[n++] = all[i];
	}
	k->conf.n_neighs = n;
	return 0;
}

static const struct knob knobs[] = {
	{"local", set_local, NULL, NULL},
	{"remote", set_remote, NULL, NULL},
	{"mtu", set_text, PORT, "mtu"},
	{"window", set_window, NULL, NULL},
	{"wscale", set_wscale, NULL, NULL},
	{"rcvbuf", set_text, "tcp", "rcvbuf"},
	{"sndbuf", set_text, "tcp", "sndbuf"},
	{"rcvbuf_max", set_text, "tcp", "rcvbuf_max"},
	{"sndbuf_max", set_text, "tcp", "sndbuf_max"},
	{"iw", set_text, "tcp", "initial_window"},
	{"ws", set_switch, "tcp", "window_scale"},
	{"ts", set_switch, "tcp", "timestamps"},
	{"sack", set_switch, "tcp", "sack"},
	{"ecn", set_ecn, "tcp", "ecn"},
	{"cc", set_text, "tcp", "congestion"},
	{"hystart", set_text, "tcp", "hystart"},
	{"mtu_probing", set_mtu_probing, "tcp", "mtu_probing"},
	{"base_mss", set_text, "tcp", "base_mss"},
	{"idle_restart", set_switch, "tcp", "idle_restart"},
	{"delack", set_delack, "tcp", "delayed_ack_ms"},
	{"rto_min", set_time, "tcp", "rto_min_ms"},
	{"rto_initial", set_time, "tcp", "rto_initial_ms"},
	{"rto_max", set_time, "tcp", "rto_max_ms"},
	{"time_wait", set_time, "tcp", "time_wait_ms"},
	{"fin_wait_2", set_time, "tcp", "fin_wait_2_ms"},
	{"invalid_ratelimit", set_time, "tcp", "invalid_ratelimit_ms"},
	{"fastopen", set_text, "tcp", "fastopen"},
	{"fastopen_pause", set_text, "tcp", "fastopen_pause_s"},
	{"fastopen_key", set_text, "tcp", "fastopen_key"},
	{"syn_cookies", set_text, "tcp", "syn_cookies"},
	{"orphan_retries", set_text, "tcp", "orphan_retries"},
	{"rfc1337", set_switch, "tcp", "rfc1337"},
	{"tw_reuse", set_switch, "tcp", "time_wait_reuse"},
	{"syn_retries", set_text, "tcp", "syn_retries"},
	{"synack_retries", set_text, "tcp", "synack_retries"},
	{"data_retries", set_text, "tcp", "data_retries"},
	{"sockets", set_text, "pools", "sockets"},
	{"seed", set_text, "stack", "seed"},
	{"timeout", set_timeout, NULL, NULL},
	{"eal", set_eal, NULL, NULL},
};

static int set_all(struct pd_knobs *k, const char *text, const struct report *r);

/* Any key of the configuration is a knob, too: "tcp.keep_idle_s=10". */
static int
set_key(struct pd_knobs *k, char *name, const char *value, const struct report *r)
{
	char *const dot = strchr(name, '.');

	if (dot == NULL)
		return fail(r, "%s=%s: no such knob", name, value);
	*dot = '\0';
	return set(k, strcmp(name, "port") == 0 ? PORT : name, dot + 1, value, r);
}

static int
set_knob(struct pd_knobs *k, char *text, const struct report *r)
{
	char *name = text + strspn(text, " \t\n"), *value = strchr(name, '=');
	char linux_knobs[512];

	if (*name == '\0')
		return 0;
	if (value == NULL)
		return fail(r, "%s: allowed: NAME=VALUE;...", name);
	*value++ = '\0';
	for (unsigned int i = 0; i < RTE_DIM(knobs); i++)
		if (strcmp(knobs[i].name, name) == 0)
			return knobs[i].set(k, &knobs[i], value, r);
	if (pd_sysctl(name, value, linux_knobs, sizeof(linux_knobs)))
		return set_all(k, linux_knobs, r);
	return set_key(k, name, value, r);
}

static int
set_all(struct pd_knobs *k, const char *text, const struct report *r)
{
	char copy[2048], *rest = copy, *one;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return fail(r, "flags are longer than %zu characters", sizeof(copy) - 1);
	while ((one = strsep(&rest, ";")) != NULL)
		if (set_knob(k, one, r) != 0)
			return -1;
	return 0;
}

/* A port at the end of the cable, through which everything is reached; all work in software. */
static int
set_port(struct pd_knobs *k, const struct report *r)
{
	static const char *const keys[][3] = {
		{PORT, "driver", "wire"},
		{PORT, "device", "pd:a"},
		{PORT, "mtu", "1500"},
		{PORT, "ipv6", "no"}, /* scripts see no neighbour discovery, nor need it */
		{PORT, "accept_ra", "no"},
		{PORT, "dad", "no"},
		{PORT, "offloads_off", "rx_checksum, tx_checksum, tso, lro, rss, vlan"},
		{"route v4", "net", "0.0.0.0/0"},
		{"route v4", "port", "pd"},
		{"route v6", "net", "::/0"},
		{"route v6", "port", "pd"},
		{"stack", "name", "pd"},
		{"pools", "mbufs", "8192"},
		{"pools", "connections", "1024"},
	};

	for (unsigned int i = 0; i < RTE_DIM(keys); i++)
		if (set(k, keys[i][0], keys[i][1], keys[i][2], r) != 0)
			return -1;
	return 0;
}

int
pd_knobs_read(struct pd_knobs *k, const char *text, char *err, size_t err_len)
{
	const struct report r = {err, err_len};

	memset(k, 0, sizeof(*k));
	weir_conf_default(&k->conf);
	if (set_port(k, &r) != 0 || set_all(k, DEFAULTS, &r) != 0 ||
		set_all(k, text != NULL ? text : "", &r) != 0 || set_neighs(k, &r) != 0)
		return -1;
	return weir_conf_check(&k->conf, err, err_len) == 0 ? 0 : -1;
}
