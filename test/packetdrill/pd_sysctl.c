/* SPDX-License-Identifier: BSD-3-Clause */
/* What scripts set with sysctl, by its name there: "net.ipv4.tcp_sack=0". */
#include "pd.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define BLANKS	   " \t\n\"'"
#define SMALL_SEND (512 * 1024) /* the adapter's own send memory: only less than it is a limit */

enum form {
	AS_IS,
	NUMBER, /* decimal, octal, hexadecimal */
	SWITCH, /* not 0: on */
	FLAG_1, /* exactly 1: on */
	TLP,	/* 3 or more: on */
	SECONDS,
	MICROSECONDS,
	COOKIES, /* 0, 1, 2 */
	ORPHANS, /* 0: 8 */
	KEY,	 /* the first of a list of keys, without dashes */
	RANGE,	 /* two numbers */
	AUTO_RECEIVE,
	RECEIVE_MEMORY,
	SEND_MEMORY,
	NOTHING /* Weir has nothing that it would change */
};

struct sysctl {
	const char *name; /* below net.ipv4 */
	enum form form;
	const char *knob;
};

static const struct sysctl sysctls[] = {
	{"ip_local_port_range", RANGE, "tcp.ephemeral_ports"},
	{"tcp_base_mss", NUMBER, "tcp.base_mss"},
	{"tcp_challenge_ack_limit", NUMBER, "tcp.challenges_per_s"},
	{"tcp_congestion_control", AS_IS, "cc"},
	{"tcp_dsack", SWITCH, "tcp.dsack"},
	{"tcp_early_retrans", TLP, "tcp.tail_loss_probe"},
	{"tcp_ecn", AS_IS, "ecn"},
	{"tcp_fastopen", NUMBER, "fastopen"},
	{"tcp_fastopen_blackhole_timeout_sec", NUMBER, "fastopen_pause"},
	{"tcp_fastopen_key", KEY, "fastopen_key"},
	{"tcp_fin_timeout", SECONDS, "fin_wait_2"},
	{"tcp_frto", SWITCH, "tcp.frto"},
	{"tcp_invalid_ratelimit", AS_IS, "invalid_ratelimit"},
	{"tcp_keepalive_intvl", NUMBER, "tcp.keep_interval_s"},
	{"tcp_keepalive_probes", NUMBER, "tcp.keep_count"},
	{"tcp_keepalive_time", NUMBER, "tcp.keep_idle_s"},
	{"tcp_max_orphans", NUMBER, "tcp.max_orphans"},
	{"tcp_moderate_rcvbuf", AUTO_RECEIVE, "rcvbuf_max"},
	{"tcp_mtu_probing", AS_IS, "mtu_probing"},
	{"tcp_orphan_retries", ORPHANS, "orphan_retries"},
	{"tcp_reordering", NUMBER, "tcp.reordering"},
	{"tcp_retries2", NUMBER, "data_retries"},
	{"tcp_rfc1337", SWITCH, "rfc1337"},
	{"tcp_rmem", RECEIVE_MEMORY, NULL},
	{"tcp_rto_max_ms", AS_IS, "rto_max"},
	{"tcp_rto_min_us", MICROSECONDS, "rto_min"},
	{"tcp_sack", SWITCH, "sack"},
	{"tcp_slow_start_after_idle", SWITCH, "idle_restart"},
	{"tcp_syn_retries", NUMBER, "syn_retries"},
	{"tcp_synack_retries", NUMBER, "synack_retries"},
	{"tcp_syncookies", COOKIES, "syn_cookies"},
	{"tcp_timestamps", SWITCH, "ts"},
	{"tcp_tw_reuse", FLAG_1, "tw_reuse"},
	{"tcp_window_scaling", SWITCH, "ws"},
	{"tcp_wmem", SEND_MEMORY, "sndbuf"},
};

/* The name below net.ipv4, of "net.ipv4.tcp_sack", "/proc/sys/net/ipv4/tcp_sack" or "tcp_sack". */
static const char *
short_name(const char *name)
{
	static const char *const places[] = {"net.ipv4.", "/proc/sys/net/ipv4/", "net/ipv4/",
		"net.core.", "/proc/sys/net/core/"};

	for (unsigned int i = 0; i < RTE_DIM(places); i++)
		if (strncmp(name, places[i], strlen(places[i])) == 0)
			return name + strlen(places[i]);
	return strncmp(name, "tcp_", 4) == 0 ? name : NULL;
}

static const struct sysctl *
find(const char *name)
{
	static const struct sysctl other = {"", NOTHING, NULL};

	for (unsigned int i = 0; i < RTE_DIM(sysctls); i++)
		if (strcmp(sysctls[i].name, name) == 0)
			return &sysctls[i];
	return &other;
}

static int
put_key(char *out, size_t len, const char *knob, const char *value)
{
	char key[33] = "";
	size_t n = 0;

	for (; *value != '\0' && *value != ',' && n < sizeof(key) - 1; value++)
		if (isxdigit((unsigned char)*value))
			key[n++] = *value;
	return snprintf(out, len, "%s=%s", knob, key);
}

/* The window scale follows from the most that the memory may grow to, as Linux works it out. */
static int
put_receive_memory(char *out, size_t len, const unsigned long *v)
{
	unsigned long space = v[2];
	int scale = 0;

	for (; space > UINT16_MAX && scale < 14; space >>= 1)
		scale++;
	if (v[1] < 2ul * UINT16_MAX)
		return snprintf(out, len, "wscale=%d;rcvbuf=%lu;rcvbuf_max=%lu", scale, v[1], v[2]);
	return snprintf(out, len, "wscale=%d", scale);
}

static int
put_number(char *out, size_t len, const struct sysctl *s, unsigned long v)
{
	static const char *const cookies[] = {"no", "yes", "always"};

	switch (s->form) {
	case SWITCH:
		return snprintf(out, len, "%s=%s", s->knob, v != 0 ? "yes" : "no");
	case FLAG_1:
		return snprintf(out, len, "%s=%s", s->knob, v == 1 ? "yes" : "no");
	case TLP:
		return snprintf(out, len, "%s=%s", s->knob, v >= 3 ? "yes" : "no");
	case SECONDS:
		return snprintf(out, len, "%s=%lus", s->knob, v);
	case MICROSECONDS:
		return snprintf(out, len, "%s=%luus", s->knob, v);
	case COOKIES:
		return snprintf(out, len, "%s=%s", s->knob, cookies[RTE_MIN(v, 2ul)]);
	case ORPHANS:
		return snprintf(out, len, "%s=%lu", s->knob, v != 0 ? v : 8);
	case AUTO_RECEIVE:
		return v == 0 ? snprintf(out, len, "%s=0", s->knob) : 0;
	default:
		return snprintf(out, len, "%s=%lu", s->knob, v);
	}
}

static int
put(char *out, size_t len, const struct sysctl *s, const char *value)
{
	unsigned long v[3] = {0};
	char *end = (char *)(uintptr_t)value;

	for (unsigned int i = 0; i < RTE_DIM(v); i++)
		v[i] = strtoul(end, &end, 0);
	switch (s->form) {
	case NOTHING:
		return 0;
	case AS_IS:
		return snprintf(out, len, "%s=%s", s->knob, value);
	case KEY:
		return put_key(out, len, s->knob, value);
	case RANGE:
		return snprintf(out, len, "%s=%lu-%lu", s->knob, v[0], v[1]);
	case RECEIVE_MEMORY:
		return put_receive_memory(out, len, v);
	case SEND_MEMORY:
		return v[2] < SMALL_SEND ? snprintf(out, len, "%s=%lu", s->knob, v[2]) : 0;
	default:
		return put_number(out, len, s, v[0]);
	}
}

bool
pd_sysctl(const char *name, const char *value, char *out, size_t len)
{
	char text[256], *first = text + strspn(value, BLANKS);
	const char *const own = short_name(name);
	size_t n;

	if (own == NULL)
		return false;
	snprintf(text, sizeof(text), "%s", value);
	for (n = strlen(first); n > 0 && strchr(BLANKS, first[n - 1]) != NULL; n--)
		first[n - 1] = '\0';
	out[0] = '\0';
	put(out, len, find(own), first);
	return true;
}
