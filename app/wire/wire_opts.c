/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire_opts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MBUFS_DEFAULT 32767

void
wire_opts_help(void)
{
	puts("weir-wire: joins two DPDK ports by a line that can spoil what passes\n"
	     "\n"
	     "  weir-wire [EAL options] -- --a DEVICE --b DEVICE [options]\n"
	     "\n"
	     "  --loss P             lose frames; P is a probability: 1% or 0.01\n"
	     "  --burst P:P[:P]      lose in bursts: chance to enter and to leave a bad state,\n"
	     "                       and the loss in it (100%)\n"
	     "  --dup P              send frames twice\n"
	     "  --corrupt P          flip bits; --corrupt_bits N: so many neighbours (1)\n"
	     "  --reorder P          hold frames back; --reorder_pkts N: until so many others\n"
	     "                       have passed (1); --reorder_time T: but no longer (1ms)\n"
	     "  --delay T            T is a time: 100us, 10ms, 1s\n"
	     "  --jitter T           delay by T more or less; frames may overtake each other\n"
	     "  --rate R             bits a second: 64kbit, 100Mbit, 1Gbit\n"
	     "  --queue SIZE         bytes that wait for the rate: 64k, 1M (256k)\n"
	     "  --ab-..., --ba-...   the same for one direction: --ab-loss 1%\n"
	     "\n"
	     "  --seed N             of all chances (1)\n"
	     "  --seconds N          stop after so long\n"
	     "  --mbufs N            buffers (32767)\n"
	     "  --poll               never sleep\n"
	     "\n"
	     "SIGINT and SIGTERM stop it; it prints its counts then, and on SIGUSR1.\n"
	     "Example: two tap devices, for namespaces of your own to take\n"
	     "  weir-wire --no-huge --no-pci -m 256 \\\n"
	     "            --vdev net_tap0,iface=wa --vdev net_tap1,iface=wb \\\n"
	     "            -- --a net_tap0 --b net_tap1 --loss 1% --delay 10ms --rate 100Mbit");
}

bool
wire_opts_want_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return argc <= 1;
}

static int
parse_number(const char *key, const char *value, uint64_t max, uint64_t *number, char *err,
	size_t err_len)
{
	char *end;

	errno = 0;
	*number = strtoull(value, &end, 0);
	if (errno == 0 && end != value && *end == '\0' && value[0] != '-' && *number <= max)
		return 0;
	snprintf(
		err, err_len, "--%s %s: allowed is 0 to %llu", key, value, (unsigned long long)max);
	return -EINVAL;
}

/* @return 1 when key is an impairment, else 0 or -EINVAL */
static int
parse_own(struct wire_opts *o, const char *key, const char *value, char *err, size_t err_len)
{
	uint64_t number;
	int r;

	if (strcmp(key, "a") == 0 || strcmp(key, "b") == 0) {
		o->device[key[0] == 'b'] = value;
		return 0;
	}
	if (strcmp(key, "seed") == 0)
		return parse_number(key, value, UINT64_MAX, &o->seed, err, err_len);
	if (strcmp(key, "seconds") == 0) {
		r = parse_number(key, value, 1000000, &number, err, err_len);
		o->seconds = (uint32_t)number;
		return r;
	}
	if (strcmp(key, "mbufs") == 0) {
		r = parse_number(key, value, 1 << 24, &number, err, err_len);
		o->mbufs = (uint32_t)number;
		return r;
	}
	return 1;
}

static int
parse_impair(struct wire_opts *o, const char *key, const char *value, char *err, size_t err_len)
{
	const bool is_ab = strncmp(key, "ab-", 3) == 0;
	const bool is_ba = strncmp(key, "ba-", 3) == 0;
	int r = 0;

	if (is_ab || is_ba)
		key += 3;
	if (!is_ba)
		r = weir_impair_parse(&o->impair[0], key, value, err, err_len);
	if (r == 0 && !is_ab)
		r = weir_impair_parse(&o->impair[1], key, value, err, err_len);
	return r;
}

/* One option at argv[0], as "--key value" or "--key=value". @return words used, or -EINVAL */
static int
parse_one(struct wire_opts *o, char **argv, char *err, size_t err_len)
{
	char key[32];
	const char *word = argv[0] + 2;
	const char *value = strchr(word, '=');
	const size_t len = value == NULL ? strlen(word) : (size_t)(value - word);
	int r;

	if (strncmp(argv[0], "--", 2) != 0 || len >= sizeof(key)) {
		snprintf(err, err_len, "%s: not an option; see --help", argv[0]);
		return -EINVAL;
	}
	memcpy(key, word, len);
	key[len] = '\0';
	if (strcmp(key, "poll") == 0) {
		o->poll = true;
		return 1;
	}
	value = value == NULL ? argv[1] : value + 1;
	if (value == NULL) {
		snprintf(err, err_len, "--%s: value missing", key);
		return -EINVAL;
	}
	r = parse_own(o, key, value, err, err_len);
	if (r == 1)
		r = parse_impair(o, key, value, err, err_len);
	return r != 0 ? -EINVAL : word[len] == '=' ? 1 : 2;
}

int
wire_opts_parse(struct wire_opts *o, int argc, char **argv, char *err, size_t err_len)
{
	*o = (struct wire_opts){.seed = 1, .mbufs = MBUFS_DEFAULT};
	for (int i = 1; i < argc;) {
		const int used = parse_one(o, argv + i, err, err_len);

		if (used < 0)
			return used;
		i += used;
	}
	if (o->device[0] == NULL || o->device[1] == NULL) {
		snprintf(err, err_len, "--a and --b are needed; see --help");
		return -EINVAL;
	}
	return 0;
}
