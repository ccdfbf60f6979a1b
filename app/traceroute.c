/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-traceroute: the routers on the way, by UDP datagrams or ICMP echo of small TTL. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raw/raw.h"

static const char usage[] =
	"usage: weir-traceroute CONF [OPTION]... ADDRESS\n"
	"Shows the way to an IPv4 or IPv6 address from the stack that the configuration file CONF\n"
	"describes.\n"
	"  -I           by ICMP echo instead of UDP datagrams\n"
	"  -m HOPS      at most so many (30)\n"
	"  -q PROBES    for each hop (3)\n"
	"  -w SECONDS   wait for each answer (3)\n"
	"  -p PORT      UDP port of the first probe (33434); each has the next\n"
	"  -u SECONDS   first wait until the address answers to ICMP echo, at most so long\n"
	"exit status: 0 arrived, 1 not, 2 other errors\n";

enum { WRONG_USAGE = 2, PROBE_LEN = 40 };

struct trace {
	struct weir_stack *st;
	struct raw_host to;
	struct raw_host seen; /* who answered last about this hop */
	long hops;
	long probes;
	long wait_s;
	long port;
	long wait_up_s;
	bool is_icmp;
	int icmp; /* sockets */
	int udp;
	uint16_t id;
	uint16_t n_sent;
	uint8_t buf[RAW_LEN_MAX];
};

static int
set_ttl(const struct trace *t, int ttl)
{
	return raw_set(
		t->st, t->is_icmp ? t->icmp : t->udp, t->to.domain, IP_TTL, IPV6_UNICAST_HOPS, ttl);
}

/* An error about an earlier probe may be told first. */
static ssize_t
send_udp(struct trace *t)
{
	const uint16_t port = htons((uint16_t)(t->port + t->n_sent));
	struct raw_host to = t->to;
	ssize_t n = -EAGAIN;

	if (to.domain == AF_INET)
		to.addr.v4.sin_port = port;
	else
		to.addr.v6.sin6_port = port;
	memset(t->buf, 0, PROBE_LEN);
	for (int i = 0; i < 2 && n < 0; i++)
		n = weir_sendto(t->st, t->udp, t->buf, PROBE_LEN, 0, &to.addr.sa, to.len);
	return n;
}

static ssize_t
send_probe(struct trace *t)
{
	t->n_sent++;
	if (t->is_icmp)
		return raw_echo_send(t->st, t->icmp, &t->to, t->buf, PROBE_LEN, t->id, t->n_sent);
	return send_udp(t);
}

/* Whether a message is about the last probe. */
static bool
is_ours(const struct trace *t, enum raw_kind kind, const struct raw_icmp *m)
{
	const bool is_echo = t->is_icmp && m->id == t->id && m->seq == t->n_sent;

	if (kind == RAW_ECHO_REPLY)
		return is_echo && raw_host_eq(&m->from, &t->to);
	if (!raw_host_eq(&m->about, &t->to))
		return false;
	return t->is_icmp ? is_echo && m->proto != IPPROTO_UDP
			  : m->proto == IPPROTO_UDP && m->port == (uint16_t)(t->port + t->n_sent);
}

static enum raw_kind
wait_answer(struct trace *t, struct raw_icmp *m)
{
	const uint64_t end_us = raw_now_us() + (uint64_t)t->wait_s * 1000000;
	enum raw_kind kind;

	do
		kind = raw_icmp_wait(t->st, t->icmp, t->to.domain, end_us, t->buf, m);
	while (kind != RAW_OTHER && !is_ours(t, kind, m));
	return kind;
}

static void
print_answer(struct trace *t, enum raw_kind kind, const struct raw_icmp *m, uint64_t took_us)
{
	const bool is_end = raw_host_eq(&m->from, &t->to);

	if (!raw_host_eq(&m->from, &t->seen))
		printf(" %s", m->from.text);
	t->seen = m->from;
	printf("  %.3f ms", (double)took_us / 1e3);
	if ((kind == RAW_UNREACHABLE && !is_end) || kind == RAW_ERROR)
		printf(" (%s)", raw_icmp_text(t->to.domain, m));
}

/* @return whether the way ends here */
static bool
probe(struct trace *t)
{
	const uint64_t start_us = raw_now_us();
	const ssize_t n = send_probe(t);
	struct raw_icmp m = {0};
	enum raw_kind kind;

	if (n < 0) {
		printf(" (%s)", strerror((int)-n));
		return false;
	}
	kind = wait_answer(t, &m);
	if (kind == RAW_OTHER)
		printf(" *");
	else
		print_answer(t, kind, &m, raw_now_us() - start_us);
	fflush(stdout);
	return kind == RAW_ECHO_REPLY || kind == RAW_UNREACHABLE;
}

static int
trace(struct trace *t)
{
	bool is_end = false;

	if (t->wait_up_s > 0)
		raw_wait_up(t->st, t->icmp, &t->to, (unsigned int)t->wait_up_s);
	printf("traceroute to %s, %ld hops max, %s\n", t->to.text, t->hops,
		t->is_icmp ? "ICMP" : "UDP");
	for (int ttl = 1; ttl <= t->hops && !is_end && !raw_must_end(); ttl++) {
		if (set_ttl(t, ttl) != 0)
			return WRONG_USAGE;
		printf("%2d ", ttl);
		memset(&t->seen, 0, sizeof(t->seen));
		for (long i = 0; i < t->probes && !raw_must_end(); i++)
			is_end |= probe(t);
		putchar('\n');
	}
	return is_end && raw_host_eq(&t->seen, &t->to) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
open_and_trace(struct trace *t)
{
	int status = WRONG_USAGE;

	t->icmp = raw_icmp_open(t->st, t->to.domain);
	t->udp = weir_socket(t->st, t->to.domain, SOCK_DGRAM, 0);
	if (t->icmp >= 0 && t->udp >= 0)
		status = trace(t);
	if (t->udp >= 0)
		weir_close(t->st, t->udp);
	if (t->icmp >= 0)
		weir_close(t->st, t->icmp);
	return status;
}

static bool
read_option(struct trace *t, int opt, const char *arg)
{
	switch (opt) {
	case 'I':
		return t->is_icmp = true;
	case 'm':
		return (t->hops = app_number("-m", arg, 1, 255)) > 0;
	case 'q':
		return (t->probes = app_number("-q", arg, 1, 10)) > 0;
	case 'w':
		return (t->wait_s = app_number("-w", arg, 1, 60)) > 0;
	case 'p':
		return (t->port = app_number("-p", arg, 1, 60000)) > 0;
	case 'u':
		return (t->wait_up_s = app_number("-u", arg, 1, 3600)) > 0;
	default:
		return false;
	}
}

/* @return the configuration file; NULL: wrong usage */
static const char *
parse(struct trace *t, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "Im:q:w:p:u:h")) != -1) {
		if (opt == 'h')
			exit(fputs(usage, stdout) < 0);
		if (!read_option(t, opt, optarg))
			return NULL;
	}
	if (optind != argc - 2 || raw_host_parse(&t->to, argv[optind + 1]) != 0)
		return NULL;
	return argv[optind];
}

int
main(int argc, char **argv)
{
	static struct trace t = {.hops = 30, .probes = 3, .wait_s = 3, .port = 33434};
	const char *conf = parse(&t, argc, argv);
	struct app app;
	int status;

	if (conf == NULL) {
		fputs(usage, stderr);
		return WRONG_USAGE;
	}
	if (app_init(&app, "weir-traceroute", conf) != 0)
		return WRONG_USAGE;
	t.st = app.st;
	t.id = (uint16_t)(getpid() | 1);
	t.port--;
	puts("weir-traceroute: ready");
	fflush(stdout);
	status = open_and_trace(&t);
	app_fini(&app);
	return status;
}
