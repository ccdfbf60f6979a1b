/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf_kind.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_ether.h>

#include "weir_addr.h"
#include "weir_port.h"
#include "weir_sys.h"

#define V4_BITS 96 /* of the 128 that come before an IPv4 address in its mapped form */

/* ---- text to pieces ---- */

static bool
is_none(const char *text)
{
	return strcmp(text, "none") == 0;
}

/* Take the next piece of a list off *text, blanks around it stripped. false: none is left. */
static bool
next_piece(const char **text, const char *separators, char *piece, size_t size)
{
	size_t len;

	if (*text == NULL)
		return false;
	*text += strspn(*text, " \t");
	len = strcspn(*text, separators);
	snprintf(piece, size, "%.*s", (int)len, *text);
	*text = (*text)[len] != '\0' ? *text + len + 1 : NULL;
	for (len = strlen(piece); len > 0 && isblank((unsigned char)piece[len - 1]);)
		piece[--len] = '\0';
	return true;
}

bool
conf_is_name(const char *text, size_t size)
{
	const size_t len = strlen(text);

	return len > 0 && len < size && isalnum((unsigned char)text[0]) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		       len;
}

bool
conf_is_pci_address(const char *text)
{
	unsigned int domain, bus, device, function;
	int len = 0;

	return isxdigit((unsigned char)text[0]) &&
	       sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &len) == 4 &&
	       len == 12 && (text[len] == '\0' || text[len] == ',');
}

/* ---- numbers ---- */

static bool
parse_digits(const char *text, uint64_t *value, const char **end)
{
	char *e;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &e, 10);
	*end = e;
	return errno == 0;
}

static void
store(const struct conf_key *key, void *item, uint64_t value)
{
	void *field = (char *)item + key->offset;

	switch (key->size) {
	case 2:
		*(uint16_t *)field = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)field = (uint32_t)value;
		break;
	default:
		*(uint64_t *)field = value;
	}
}

static uint64_t
fetch(const struct conf_key *key, const void *item)
{
	const void *field = (const char *)item + key->offset;

	switch (key->size) {
	case 2:
		return *(const uint16_t *)field;
	case 4:
		return *(const uint32_t *)field;
	default:
		return *(const uint64_t *)field;
	}
}

static bool
is_in_range(const struct conf_key *key, uint64_t value)
{
	return (value >= key->min && value <= key->max) ||
	       (value == 0 && key->kind == &conf_number_or0);
}

static bool
number_is_right(const struct conf_key *key, const void *item)
{
	return is_in_range(key, fetch(key, item));
}

static bool
number_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	uint64_t value;

	if (!parse_digits(text, &value, &text) || *text != '\0' || !is_in_range(key, value))
		return false;
	store(key, item, value);
	return true;
}

static void
number_allowed(const struct conf_key *key, char *text, size_t len)
{
	snprintf(text, len, "%s%" PRIu64 " to %" PRIu64,
		key->kind == &conf_number_or0 ? "0, or " : "", key->min, key->max);
}

const struct conf_kind conf_number = {number_parse, number_is_right, number_allowed};
const struct conf_kind conf_number_or0 = {number_parse, number_is_right, number_allowed};

static bool
parse_unit(const char *text, uint64_t *unit)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}};

	for (unsigned int i = 0; i < RTE_DIM(units); i++) {
		*unit = units[i].bytes;
		if (strcmp(text, units[i].name) == 0)
			return true;
	}
	return false;
}

static bool
size_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	uint64_t value, unit;

	if (!parse_digits(text, &value, &text) || !parse_unit(text, &unit) ||
		value > UINT64_MAX / unit || !is_in_range(key, value * unit))
		return false;
	store(key, item, value * unit);
	return true;
}

const char *
conf_format_size(uint64_t bytes, char *text, size_t len)
{
	if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
		snprintf(text, len, "%" PRIu64 "M", bytes >> 20);
	else if (bytes >= 1 << 10 && bytes % (1 << 10) == 0)
		snprintf(text, len, "%" PRIu64 "K", bytes >> 10);
	else
		snprintf(text, len, "%" PRIu64, bytes);
	return text;
}

static void
size_allowed(const struct conf_key *key, char *text, size_t len)
{
	char min[24], max[24];

	snprintf(text, len, "bytes, %s to %s", conf_format_size(key->min, min, sizeof(min)),
		conf_format_size(key->max, max, sizeof(max)));
}

const struct conf_kind conf_size = {size_parse, number_is_right, size_allowed};

/* ---- words ---- */

static bool
bool_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	const bool is_yes = strcmp(text, "yes") == 0;

	if (!is_yes && strcmp(text, "no") != 0)
		return false;
	*(bool *)((char *)item + key->offset) = is_yes;
	return true;
}

static void
bool_allowed(const struct conf_key *key, char *text, size_t len)
{
	snprintf(text, len, "yes or no");
}

const struct conf_kind conf_bool = {bool_parse, NULL, bool_allowed};

static int
find_word(const char *words, const char *text)
{
	char word[WEIR_CONF_NAME_MAX];

	for (int i = 0; next_piece(&words, "|", word, sizeof(word)); i++)
		if (strcmp(word, text) == 0)
			return i;
	return -1;
}

static bool
choice_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	const int found = find_word(key->words, text);

	if (found < 0)
		return false;
	store(key, item, (uint64_t)found);
	return true;
}

static bool
choice_is_right(const struct conf_key *key, const void *item)
{
	uint64_t n = 1;

	for (const char *p = key->words; *p != '\0'; p++)
		n += *p == '|';
	return fetch(key, item) < n;
}

/* "a|b|c" as "a, b or c". */
static void
words_allowed(const struct conf_key *key, char *text, size_t len)
{
	const char *words = key->words;
	char word[WEIR_CONF_NAME_MAX];
	size_t at = 0;

	while (next_piece(&words, "|", word, sizeof(word)) && at < len)
		at += (size_t)snprintf(text + at, len - at, "%s%s",
			at == 0		? ""
			: words == NULL ? " or "
					: ", ",
			word);
}

const struct conf_kind conf_choice = {choice_parse, choice_is_right, words_allowed};

static bool
word_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	if (find_word(key->words, text) < 0)
		return false;
	snprintf((char *)item + key->offset, key->size, "%s", text);
	return true;
}

static bool
word_is_right(const struct conf_key *key, const void *item)
{
	const char *field = (const char *)item + key->offset;

	return memchr(field, '\0', key->size) != NULL && find_word(key->words, field) >= 0;
}

const struct conf_kind conf_word = {word_parse, word_is_right, words_allowed};

static bool
hugepages_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	struct weir_conf *conf = item;
	const int found = find_word("no|yes|auto", text);

	if (found < 0)
		return false;
	conf->use_hugepages = found == 1;
	conf->is_hugepages_auto = found == 2;
	return true;
}

const struct conf_kind conf_hugepages = {hugepages_parse, NULL, NULL};

/* ---- texts and names ---- */

static bool
text_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	if (is_none(text))
		text = "";
	if (strlen(text) >= key->size)
		return false;
	snprintf((char *)item + key->offset, key->size, "%s", text);
	return true;
}

static bool
text_is_right(const struct conf_key *key, const void *item)
{
	return memchr((const char *)item + key->offset, '\0', key->size) != NULL;
}

const struct conf_kind conf_text = {text_parse, text_is_right, NULL};

static bool
name_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	if (!conf_is_name(text, key->size))
		return false;
	snprintf((char *)item + key->offset, key->size, "%s", text);
	return true;
}

static bool
name_is_right(const struct conf_key *key, const void *item)
{
	return text_is_right(key, item) &&
	       conf_is_name((const char *)item + key->offset, key->size);
}

static void
name_allowed(const struct conf_key *key, char *text, size_t len)
{
	snprintf(text, len, "a name: up to %zu letters, digits and . _ -", key->size - 1);
}

const struct conf_kind conf_name = {name_parse, name_is_right, name_allowed};

/* ---- devices ---- */

static char *
list_text(const struct conf_key *key, void *item, unsigned int i)
{
	return (char *)item + key->offset + i * key->size;
}

/* The number says only which of several it is; a program that sets one again replaces it. */
static bool
vdev_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	unsigned int *n = conf_count(item, key->n_offset);
	char name[WEIR_CONF_DEVICE_MAX];
	const char *rest = text;

	next_piece(&rest, ",", name, sizeof(name));
	if (!conf_is_name(name, sizeof(name)) || strlen(text) >= key->size)
		return false;
	snprintf(list_text(key, item, i), key->size, "%s", text);
	*n = RTE_MAX(*n, i + 1);
	return true;
}

static bool
list_is_right(const struct conf_key *key, const void *item)
{
	unsigned int n;

	memcpy(&n, (const char *)item + key->n_offset, sizeof(n));
	return n <= key->max;
}

const struct conf_kind conf_vdev = {vdev_parse, list_is_right, NULL};

/* "parameter=value" behind a device belongs to that device. */
static bool
pci_add_parameter(const struct conf_key *key, void *item, unsigned int n, const char *piece)
{
	char *last;
	size_t len;

	if (n == 0)
		return false;
	last = list_text(key, item, n - 1);
	len = strlen(last);
	return (size_t)snprintf(last + len, key->size - len, ",%s", piece) < key->size - len;
}

static bool
pci_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	char piece[WEIR_CONF_TEXT_MAX];
	unsigned int n = 0;

	if (is_none(text))
		text = NULL;
	while (next_piece(&text, ",", piece, sizeof(piece))) {
		if (strchr(piece, '=') != NULL) {
			if (!pci_add_parameter(key, item, n, piece))
				return false;
		} else {
			if (!conf_is_pci_address(piece) || n == key->max)
				return false;
			snprintf(list_text(key, item, n++), key->size, "%s", piece);
		}
	}
	*conf_count(item, key->n_offset) = n;
	return true;
}

const struct conf_kind conf_pci = {pci_parse, list_is_right, NULL};

static bool
cpus_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	int *cpus = (int *)((char *)item + key->offset);
	int n = 0;

	if (strcmp(text, "any") != 0)
		n = weir_sys_list(text, cpus, WEIR_CONF_WORKERS_MAX);
	if (n < 0)
		return false;
	for (; n < WEIR_CONF_WORKERS_MAX; n++)
		cpus[n] = -1;
	return true;
}

const struct conf_kind conf_cpus = {cpus_parse, NULL, NULL};

static const struct {
	const char *name;
	uint32_t caps;
} offloads[] = {
	{"rx_checksum", WEIR_PORT_RX_IP4_CKSUM | WEIR_PORT_RX_L4_CKSUM},
	{"tx_checksum", WEIR_PORT_TX_IP4_CKSUM | WEIR_PORT_TX_TCP_CKSUM | WEIR_PORT_TX_UDP_CKSUM},
	{"tso", WEIR_PORT_TX_TSO},
	{"lro", WEIR_PORT_RX_LRO},
	{"rss", WEIR_PORT_RSS | WEIR_PORT_RX_RSS_HASH},
	{"multi_seg", WEIR_PORT_TX_MULTI_SEG},
	{"vlan", WEIR_PORT_TX_VLAN | WEIR_PORT_RX_VLAN},
};

static uint32_t
offload_caps(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(offloads); i++)
		if (strcmp(offloads[i].name, name) == 0)
			return offloads[i].caps;
	return 0;
}

static bool
offloads_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	char piece[WEIR_CONF_NAME_MAX];
	uint32_t caps = 0;

	if (is_none(text))
		text = NULL;
	while (next_piece(&text, ",", piece, sizeof(piece))) {
		if (offload_caps(piece) == 0)
			return false;
		caps |= offload_caps(piece);
	}
	store(key, item, caps);
	return true;
}

static void
offloads_allowed(const struct conf_key *key, char *text, size_t len)
{
	size_t at = (size_t)snprintf(text, len, "none, or some of ");

	for (unsigned int i = 0; i < RTE_DIM(offloads) && at < len; i++)
		at += (size_t)snprintf(
			text + at, len - at, "%s%s", i > 0 ? ", " : "", offloads[i].name);
}

const struct conf_kind conf_offloads = {offloads_parse, NULL, offloads_allowed};

/* ---- addresses ---- */

static bool
parse_prefix(const char *text, struct weir_conf_prefix *p)
{
	struct weir_addr a;
	unsigned int len;

	if (weir_addr_parse_prefix(text, &a, &len) < 0)
		return false;
	memcpy(p->addr, a.b, sizeof(p->addr));
	p->len = (uint8_t)len;
	return true;
}

static bool
addrs_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	struct weir_conf_port *port = item;
	char piece[WEIR_CONF_TEXT_MAX];
	unsigned int n = 0;

	if (is_none(text))
		text = NULL;
	while (next_piece(&text, ",", piece, sizeof(piece)))
		if (n == key->max || !parse_prefix(piece, &port->addrs[n++]))
			return false;
	port->n_addrs = n;
	return true;
}

const struct conf_kind conf_addrs = {addrs_parse, list_is_right, NULL};

static bool
has_host_bits(const struct weir_conf_prefix *p)
{
	for (unsigned int bit = p->len; bit < 128; bit++)
		if (p->addr[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

static bool
net_is_right(const struct conf_key *key, const void *item)
{
	const struct weir_conf_prefix *p =
		(const struct weir_conf_prefix *)((const char *)item + key->offset);
	const struct weir_addr a = weir_addr_v6(p->addr);

	return p->len <= 128 && (!weir_addr_is_v4(&a) || p->len >= V4_BITS) && !has_host_bits(p);
}

static bool
net_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	return parse_prefix(text, (struct weir_conf_prefix *)((char *)item + key->offset)) &&
	       net_is_right(key, item);
}

const struct conf_kind conf_net = {net_parse, net_is_right, NULL};

static bool
addr_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	struct weir_addr a = {.q = {0, 0}};

	if ((!is_none(text) || key->is_needed) && weir_addr_parse(text, &a) < 0)
		return false;
	memcpy((char *)item + key->offset, a.b, sizeof(a.b));
	return true;
}

const struct conf_kind conf_addr = {addr_parse, NULL, NULL};

static bool
mac_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	struct rte_ether_addr mac;

	if (strlen(text) != 17 || rte_ether_unformat_addr(text, &mac) < 0)
		return false;
	memcpy((char *)item + key->offset, mac.addr_bytes, sizeof(mac.addr_bytes));
	return true;
}

const struct conf_kind conf_mac = {mac_parse, NULL, NULL};

static bool
ports_are_right(const struct conf_key *key, const void *item)
{
	const struct weir_conf_tcp *tcp = &((const struct weir_conf *)item)->tcp;

	return tcp->port_min >= key->min && tcp->port_min <= tcp->port_max &&
	       tcp->port_max <= key->max;
}

static bool
ports_parse(const struct conf_key *key, void *item, unsigned int i, const char *text)
{
	struct weir_conf *conf = item;
	uint64_t first, last;

	if (!parse_digits(text, &first, &text) || *text++ != '-' ||
		!parse_digits(text, &last, &text) || *text != '\0' || last > key->max ||
		first > key->max)
		return false;
	conf->tcp.port_min = (uint32_t)first;
	conf->tcp.port_max = (uint32_t)last;
	return ports_are_right(key, item);
}

const struct conf_kind conf_ports = {ports_parse, ports_are_right, NULL};

const char *
conf_allowed(const struct conf_key *key, char text[WEIR_CONF_TEXT_MAX])
{
	if (key->kind->allowed != NULL)
		key->kind->allowed(key, text, WEIR_CONF_TEXT_MAX);
	else
		snprintf(text, WEIR_CONF_TEXT_MAX, "%s", key->words);
	return text;
}
