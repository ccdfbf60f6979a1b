/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes as text: OBJECT VERB [WHAT] [KEY VALUE]... */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "net_priv.h"

#define WORDS_MAX 24
#define TEXT_MAX  512

/* A command under way: its words, and where to say what is wrong. */
struct command {
	struct weir_stack *st;
	char text[TEXT_MAX];
	const char *word[WORDS_MAX];
	unsigned int n;
	unsigned int at;
	char *err;
	size_t err_len;
};

static int say(const struct command *c, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int
say(const struct command *c, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (c->err_len > 0)
		vsnprintf(c->err, c->err_len, fmt, ap);
	va_end(ap);
	return rc;
}

/* The next word, "" behind the last. */
static const char *
next(struct command *c)
{
	return c->at < c->n ? c->word[c->at++] : "";
}

/* Values: 0, or what is wrong is said */

static int
read_port(struct command *c, char port[WEIR_CONF_NAME_MAX])
{
	const char *name = next(c);

	if (net_port_index(c->st, name) < 0)
		return say(c, -ENODEV, "no port is called \"%s\"", name);
	snprintf(port, WEIR_CONF_NAME_MAX, "%s", name);
	return 0;
}

static int
read_addr(struct command *c, uint8_t addr[16])
{
	const char *text = next(c);
	struct weir_addr a;

	if (weir_addr_parse(text, &a) != 0)
		return say(c, -EINVAL, "\"%s\" is no IPv4 or IPv6 address", text);
	memcpy(addr, a.b, 16);
	return 0;
}

/* ADDRESS/LENGTH; without a length all of the address. */
static int
read_prefix(struct command *c, const char *text, struct weir_conf_prefix *prefix)
{
	struct weir_addr a;
	unsigned int len = 128;

	if (strchr(text, '/') != NULL ? weir_addr_parse_prefix(text, &a, &len) != 0
				      : weir_addr_parse(text, &a) != 0)
		return say(c, -EINVAL, "\"%s\" is no address with a length, such as 10.0.0.1/24",
			text);
	memcpy(prefix->addr, a.b, 16);
	prefix->len = (uint8_t)len;
	return 0;
}

static int
read_number(struct command *c, const char *what, uint32_t max, uint32_t *value)
{
	const char *text = next(c);
	char *end;
	const unsigned long long v = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > max)
		return say(c, -EINVAL, "%s: \"%s\" is no number up to %u", what, text, max);
	*value = (uint32_t)v;
	return 0;
}

static int
read_lifetime(struct command *c, const char *what, uint32_t *value)
{
	if (c->at < c->n && strcmp(c->word[c->at], "forever") == 0) {
		c->at++;
		*value = WEIR_NET_FOREVER;
		return 0;
	}
	return read_number(c, what, WEIR_NET_FOREVER - 1, value);
}

static int
read_mac(struct command *c, uint8_t mac[6])
{
	const char *text = next(c);
	int used = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		    &mac[3], &mac[4], &mac[5], &used) != 6 ||
		text[used] != '\0')
		return say(c, -EINVAL, "\"%s\" is no MAC address", text);
	return 0;
}

static int
unknown(struct command *c, const char *word)
{
	return say(c, -EINVAL, "\"%s\" is not understood here", word);
}

/* Objects */

static int
done(const struct command *c, int rc, const char *what)
{
	return rc == 0 ? 0 : say(c, rc, "%s: %s", what, strerror(-rc));
}

static int
addr_command(struct command *c)
{
	struct weir_net_addr a = {.preferred_s = WEIR_NET_FOREVER, .valid_s = WEIR_NET_FOREVER};
	const char *verb = next(c), *what = next(c), *key;
	int rc = read_prefix(c, what, &a.prefix);

	while (rc == 0 && c->at < c->n) {
		key = next(c);
		if (strcmp(key, "port") == 0)
			rc = read_port(c, a.port);
		else if (strcmp(key, "nodad") == 0)
			a.no_dad = true;
		else if (strcmp(key, "preferred") == 0)
			rc = read_lifetime(c, key, &a.preferred_s);
		else if (strcmp(key, "valid") == 0)
			rc = read_lifetime(c, key, &a.valid_s);
		else
			rc = unknown(c, key);
	}
	if (rc != 0)
		return rc;
	if (a.port[0] == '\0')
		return say(c, -EINVAL, "port NAME is missing");
	if (a.preferred_s > a.valid_s)
		a.preferred_s = a.valid_s;
	if (strcmp(verb, "add") == 0)
		return done(c, weir_addr_add(c->st, &a), what);
	if (strcmp(verb, "del") == 0)
		return done(c, weir_addr_del(c->st, &a), what);
	return unknown(c, verb);
}

/* The kind of a route, if word names one. */
static bool
is_kind(const char *word, uint8_t *kind)
{
	static const char *const kinds[] = {"unicast", "blackhole", "unreachable", "prohibit"};

	for (uint8_t i = 0; i < RTE_DIM(kinds); i++)
		if (strcmp(word, kinds[i]) == 0) {
			*kind = i;
			return true;
		}
	return false;
}

static int
route_key(struct command *c, struct weir_net_route *r)
{
	const char *key = next(c);
	uint32_t mtu = 0;
	int rc;

	if (strcmp(key, "via") == 0)
		return read_addr(c, r->gateway);
	if (strcmp(key, "src") == 0)
		return read_addr(c, r->src);
	if (strcmp(key, "port") == 0)
		return read_port(c, r->port);
	if (strcmp(key, "metric") == 0)
		return read_number(c, key, UINT32_MAX - 1, &r->metric);
	if (strcmp(key, "mtu") != 0)
		return unknown(c, key);
	rc = read_number(c, key, UINT16_MAX, &mtu);
	if (rc == 0)
		r->mtu = (uint16_t)mtu;
	return rc;
}

/* "default" is of the gateway's version of IP, "default6" of IPv6 where there is none. */
static void
set_default(struct weir_net_route *r, bool is_v6)
{
	const struct weir_addr gateway = weir_addr_v6(r->gateway);
	const bool is_v4 = weir_addr_is_any(&gateway) ? !is_v6 : weir_addr_is_v4(&gateway);
	const struct weir_addr v4 = weir_addr_v4(weir_be32(INADDR_ANY));

	memset(r->net.addr, 0, sizeof(r->net.addr));
	if (is_v4)
		memcpy(r->net.addr, v4.b, sizeof(r->net.addr));
	r->net.len = is_v4 ? 96 : 0;
}

static int
route_command(struct command *c)
{
	struct weir_net_route r = {0};
	const char *verb = next(c), *what = next(c);
	bool is_default;
	int rc = 0;

	if (is_kind(what, &r.kind))
		what = next(c);
	is_default = strcmp(what, "default") == 0 || strcmp(what, "default6") == 0;
	if (!is_default)
		rc = read_prefix(c, what, &r.net);
	while (rc == 0 && c->at < c->n)
		rc = route_key(c, &r);
	if (rc != 0)
		return rc;
	if (is_default)
		set_default(&r, what[7] != '\0');
	if (strcmp(verb, "add") == 0)
		return done(c, weir_route_add(c->st, &r, false), what);
	if (strcmp(verb, "replace") == 0)
		return done(c, weir_route_add(c->st, &r, true), what);
	if (strcmp(verb, "del") == 0)
		return done(c, weir_route_del(c->st, &r), what);
	return unknown(c, verb);
}

static int
neigh_flush(struct command *c)
{
	char port[WEIR_CONF_NAME_MAX];
	int rc;

	if (c->at == c->n)
		return done(c, weir_neigh_flush(c->st, NULL), "flush");
	if (strcmp(next(c), "port") != 0)
		return say(c, -EINVAL, "flush takes port NAME, or nothing");
	rc = read_port(c, port);
	return rc == 0 ? done(c, weir_neigh_flush(c->st, port), port) : rc;
}

static int
neigh_command(struct command *c)
{
	struct weir_net_neigh n = {0};
	const char *verb = next(c), *key;
	bool has_mac = false;
	int rc;

	if (strcmp(verb, "flush") == 0)
		return neigh_flush(c);
	rc = read_addr(c, n.addr);
	while (rc == 0 && c->at < c->n) {
		key = next(c);
		if (strcmp(key, "port") == 0)
			rc = read_port(c, n.port);
		else if (strcmp(key, "lladdr") == 0)
			rc = (has_mac = true, read_mac(c, n.mac));
		else
			rc = unknown(c, key);
	}
	if (rc != 0)
		return rc;
	if (n.port[0] == '\0')
		return say(c, -EINVAL, "port NAME is missing");
	if (strcmp(verb, "del") == 0)
		return done(c, weir_neigh_del(c->st, &n), "neighbour");
	if (strcmp(verb, "add") != 0)
		return unknown(c, verb);
	if (!has_mac)
		return say(c, -EINVAL, "lladdr MAC is missing");
	return done(c, weir_neigh_add(c->st, &n), "neighbour");
}

/* port set NAME up | down | mtu N */
static int
port_command(struct command *c)
{
	char port[WEIR_CONF_NAME_MAX];
	const char *what;
	uint32_t mtu = 0;
	int rc;

	if (strcmp(next(c), "set") != 0)
		return say(c, -EINVAL, "port set NAME up | down | mtu N");
	rc = read_port(c, port);
	if (rc != 0)
		return rc;
	what = next(c);
	if (strcmp(what, "up") == 0 || strcmp(what, "down") == 0)
		return done(c, weir_port_switch(c->st, port, what[0] == 'u'), port);
	if (strcmp(what, "mtu") != 0)
		return unknown(c, what);
	rc = read_number(c, what, UINT16_MAX, &mtu);
	return rc == 0 ? done(c, weir_port_set_mtu(c->st, port, (uint16_t)mtu), "mtu") : rc;
}

static int
split(struct command *c, const char *text)
{
	char *save, *word;

	if (snprintf(c->text, sizeof(c->text), "%s", text) >= (int)sizeof(c->text))
		return say(c, -E2BIG, "too long");
	for (word = strtok_r(c->text, " \t", &save); word != NULL;
		word = strtok_r(NULL, " \t", &save)) {
		if (c->n == WORDS_MAX)
			return say(c, -E2BIG, "too many words");
		c->word[c->n++] = word;
	}
	return 0;
}

int
weir_net_command(struct weir_stack *st, const char *text, char *err, size_t err_len)
{
	static const struct {
		const char *name;
		int (*run)(struct command *c);
	} objects[] = {
		{"addr", addr_command},
		{"route", route_command},
		{"neigh", neigh_command},
		{"port", port_command},
	};
	struct command c = {.st = st, .err = err, .err_len = err == NULL ? 0 : err_len};
	const char *object;
	int rc;

	if (st == NULL || text == NULL)
		return -EFAULT;
	say(&c, 0, "%s", "");
	rc = split(&c, text);
	if (rc != 0)
		return rc;
	object = next(&c);
	for (unsigned int i = 0; i < RTE_DIM(objects); i++)
		if (strcmp(object, objects[i].name) == 0)
			return objects[i].run(&c);
	return say(&c, -EINVAL, "\"%s\" is none of addr, route, neigh, port", object);
}
