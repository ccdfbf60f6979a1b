/* SPDX-License-Identifier: BSD-3-Clause */
#include "ping.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEQS 65536

struct ping {
	struct weir_stack *st;
	const struct ping_opts *o;
	int fd;
	uint16_t id;
	uint64_t next_us;
	uint64_t end_us; /* UINT64_MAX until the last request is sent */
	struct ping_stats stats;
	uint64_t sent_us[SEQS]; /* 0: not sent */
	bool is_answered[SEQS];
	uint8_t tx[RAW_LEN_MAX];
	uint8_t rx[RAW_LEN_MAX];
};

static int
set_options(struct ping *p)
{
	const struct ping_opts *o = p->o;
	const int domain = o->to.domain;
	int rc = 0;

	if (o->ttl > 0)
		rc = raw_set(p->st, p->fd, domain, IP_TTL, IPV6_UNICAST_HOPS, o->ttl);
	if (rc == 0 && o->mtu_discover >= 0)
		rc = raw_set(
			p->st, p->fd, domain, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, o->mtu_discover);
	if (rc == 0 && o->mtu_discover >= 0) /* tells what did not leave */
		rc = raw_set(p->st, p->fd, domain, IP_RECVERR, IPV6_RECVERR, 1);
	return rc;
}

/* An error about an earlier request may be told first: this one was not sent then. */
static ssize_t
send_echo(struct ping *p, uint16_t seq)
{
	const size_t len = RAW_ICMP_HLEN + p->o->size;
	ssize_t n = raw_echo_send(p->st, p->fd, &p->o->to, p->tx, len, p->id, seq);

	if (n < 0 && p->o->mtu_discover >= 0)
		n = raw_echo_send(p->st, p->fd, &p->o->to, p->tx, len, p->id, seq);
	return n;
}

static void
send_one(struct ping *p)
{
	const uint16_t seq = (uint16_t)(p->stats.sent + 1);
	ssize_t n;

	p->is_answered[seq] = false;
	p->sent_us[seq] = raw_now_us();
	n = send_echo(p, seq);
	p->stats.sent++;
	if (n < 0) {
		p->stats.errors++;
		if (!p->o->is_flood)
			printf("weir-ping: %s\n", strerror((int)-n));
	}
	if (p->o->is_flood && !p->o->is_quiet)
		putchar('.');
	p->next_us = p->sent_us[seq] + p->o->interval_us;
	if (p->stats.sent == p->o->count)
		p->end_us = p->sent_us[seq] + p->o->linger_us;
}

static bool
is_our_data(const struct ping *p, const struct raw_icmp *m)
{
	return m->len == p->o->size && memcmp(m->data, p->tx + RAW_ICMP_HLEN, m->len) == 0;
}

static void
count_answer(struct ping *p, const struct raw_icmp *m, uint64_t rtt_us)
{
	const bool is_duplicate = p->is_answered[m->seq];
	const bool is_good = is_our_data(p, m);

	p->is_answered[m->seq] = true;
	p->stats.duplicates += is_duplicate;
	p->stats.received += !is_duplicate;
	p->stats.corrupted += !is_good;
	ping_stats_add(&p->stats, rtt_us);
	if (p->o->is_flood && !p->o->is_quiet)
		fputs("\b \b", stdout);
	else if (!p->o->is_flood && !p->o->is_quiet)
		printf("%zu bytes from %s: icmp_seq=%u ttl=%d time=%.3f ms%s%s\n",
			m->len + RAW_ICMP_HLEN, m->from.text, m->seq, m->ttl, (double)rtt_us / 1e3,
			is_duplicate ? " (DUP!)" : "", is_good ? "" : " (wrong data!)");
}

static void
take_answer(struct ping *p, const struct raw_icmp *m)
{
	if (m->id != p->id || p->sent_us[m->seq] == 0)
		return;
	count_answer(p, m, raw_now_us() - p->sent_us[m->seq]);
	if (p->o->is_flood && p->end_us == UINT64_MAX)
		p->next_us = 0;
}

static void
take_error(struct ping *p, const struct raw_icmp *m)
{
	if (m->id != p->id || !raw_host_eq(&m->about, &p->o->to) || p->sent_us[m->seq] == 0)
		return;
	p->stats.errors++;
	if (!p->o->is_flood && !p->o->is_quiet)
		printf("From %s icmp_seq=%u %s\n", m->from.text, m->seq,
			raw_icmp_text(p->o->to.domain, m));
}

static void
take_refusal(struct ping *p, const struct raw_icmp *m)
{
	p->stats.errors++;
	if (!p->o->is_flood && !p->o->is_quiet)
		printf("weir-ping: message too long, mtu=%u\n", m->mtu);
}

/* Every request is sent, and answered or told of; or it is too late for that. */
static bool
is_over(const struct ping *p)
{
	if (raw_must_end())
		return true;
	return p->end_us != UINT64_MAX &&
	       (p->stats.received + p->stats.errors >= p->stats.sent || raw_now_us() >= p->end_us);
}

static void
turn(struct ping *p)
{
	const uint64_t until = p->end_us == UINT64_MAX ? p->next_us : p->end_us;
	struct raw_icmp m;
	const enum raw_kind kind = raw_icmp_wait(p->st, p->fd, p->o->to.domain, until, p->rx, &m);

	if (kind == RAW_ECHO_REPLY)
		take_answer(p, &m);
	else if (kind == RAW_TOO_LONG)
		take_refusal(p, &m);
	else if (kind != RAW_OTHER)
		take_error(p, &m);
	if (p->end_us == UINT64_MAX && raw_now_us() >= p->next_us)
		send_one(p);
}

static int
ping_host(struct ping *p)
{
	uint64_t start_us;

	if (set_options(p) != 0)
		return 2;
	if (p->o->wait_up_s > 0 && !raw_wait_up(p->st, p->fd, &p->o->to, p->o->wait_up_s))
		fprintf(stderr, "weir-ping: %s does not answer\n", p->o->to.text);
	printf("PING %s %zu data bytes\n", p->o->to.text, p->o->size);
	start_us = raw_now_us();
	while (!is_over(p))
		turn(p);
	ping_stats_print(&p->stats, p->o->to.text, raw_now_us() - start_us);
	return p->stats.received == 0 || p->stats.received < p->o->count;
}

int
ping_run(struct weir_stack *st, const struct ping_opts *o)
{
	struct ping *p = calloc(1, sizeof(*p));
	int status = 2;

	if (p == NULL)
		return status;
	p->st = st;
	p->o = o;
	p->id = (uint16_t)(getpid() | 1); /* raw_wait_up() has 0 */
	p->end_us = UINT64_MAX;
	for (size_t i = 0; i < o->size; i++)
		p->tx[RAW_ICMP_HLEN + i] = (uint8_t)i;
	p->fd = raw_icmp_open(st, o->to.domain);
	if (p->fd >= 0) {
		status = ping_host(p);
		weir_close(st, p->fd);
	}
	free(p);
	return status;
}
