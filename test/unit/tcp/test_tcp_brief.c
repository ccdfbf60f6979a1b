/* SPDX-License-Identifier: BSD-3-Clause */
/* Small pieces take a short way out: what is sent, and what is left, is that of the long one. */
#include "rig.h"

#include "weir_rand.h"

static struct rig r;

#define RTT   (20 * RIG_MS)
#define STEPS 400

/* All that was sent, and what the connection looks like at the end. */
struct story {
	uint64_t sum; /* of all frames and the times they were sent at */
	uint32_t frames;
	uint32_t taken; /* by the short way */
	uint64_t rexmit_at, cwnd_us, bytes_sent;
	uint64_t limit_us[WEIR_TCP_LIMITS];
	uint32_t cwnd, ssthresh, rto_us, sml, max_out, cwnd_used, app_limited, flight;
	uint32_t rate_delivered, rate_interval_us, rexmits;
	uint32_t alarm, limit;
};

static uint64_t
mix(uint64_t sum, uint64_t what)
{
	return (sum ^ what) * UINT64_C(0x100000001b3);
}

static void
look_at_sent(struct story *s)
{
	struct rte_mbuf *m;

	while ((m = rig_take(&r)) != NULL) {
		for (const struct rte_mbuf *part = m; part != NULL; part = part->next)
			for (uint32_t i = 0; i < part->data_len; i++)
				s->sum = mix(s->sum, *rte_pktmbuf_mtod_offset(part, uint8_t *, i));
		s->sum = mix(s->sum, r.now_us ^ m->ol_flags);
		s->frames++;
		rte_pktmbuf_free(m);
	}
}

/* Mostly such things as the short way is for; a window below a segment, if the peer is narrow. */
static void
step(struct weir_rand *rand, bool is_narrow)
{
	const uint32_t what = (uint32_t)weir_rand_u64(rand) % 100;
	const uint32_t n = 1 + (uint32_t)weir_rand_u64(rand) % 300;
	const struct weir_tcp_conn *c = r.conn;
	const uint32_t una = c->snd.una - r.iss, max = c->snd.max - r.iss;
	const uint32_t seq = c->rcv.nxt - r.irs;
	const uint32_t wnd = is_narrow ? 4 * n : 3000 + 40 * n;

	if (what < 45)
		rig_write(&r, n);
	else if (what < 60 && max != una)
		rig_recv(
			&r, .flags = ACK, .seq = seq, .ack = una + 1 + n % (max - una), .wnd = wnd);
	else if (what < 70)
		rig_recv(&r, .flags = ACK | PSH, .seq = seq, .ack = max, .len = (uint16_t)n,
			.wnd = wnd);
	else if (what < 72)
		rig_recv(&r, .flags = ACK, .seq = seq + n, .ack = una, .len = 10, .wnd = wnd);
	else if (what < 74 && max - una > 1 && r.conn->has_sack)
		rig_recv(&r, .flags = ACK, .seq = seq, .ack = una, .wnd = wnd,
			.opts = WEIR_TCP_OPT_SACK | (c->has_ts ? WEIR_TCP_OPT_TS : 0),
			.sack = {{max - 1, max}});
	else if (what < 79)
		rig_read(&r);
	else if (what < 81)
		rig_advance(&r, 3 * RIG_S);
	else
		rig_advance(&r, n * RTT / 300);
}

static void
fill_in(struct story *s)
{
	const struct weir_tcp_conn *c = r.conn;
	const struct weir_tcp_act *act = c->act;

	s->rexmit_at = c->rexmit_at;
	s->cwnd = c->cc.cwnd;
	s->ssthresh = c->cc.ssthresh;
	s->flight = c->cc.flight;
	s->rto_us = c->rto_us;
	s->alarm = c->alarm;
	s->rexmits = c->rexmits;
	s->cwnd_us = act->cwnd_us;
	s->bytes_sent = act->bytes_sent;
	s->sml = act->sml;
	s->max_out = act->max_out;
	s->cwnd_used = act->cwnd_used;
	s->app_limited = act->app_limited;
	s->rate_delivered = act->rate_delivered;
	s->rate_interval_us = act->rate_interval_us;
	s->limit = act->limit;
	memcpy(s->limit_us, act->limit_us, sizeof(s->limit_us));
}

static struct story
tell(const struct rig_setup *setup, uint64_t seed, bool is_narrow, bool is_long)
{
	struct weir_rand rand;
	struct story s;

	memset(&s, 0, sizeof(s)); /* compared as bytes */
	weir_rand_seed(&rand, seed);
	rig_open_rtt(&r, RTT, setup);
	r.conn->opts.is_nodelay = seed & 1;
	r.conn->is_lowat =
		is_long; /* which the short way is not for, and which changes no packet */
	for (unsigned int i = 0; i < STEPS && r.conn->state == WEIR_TCP_ESTABLISHED; i++) {
		step(&rand, is_narrow);
		look_at_sent(&s);
	}
	if (r.conn->state == WEIR_TCP_ESTABLISHED)
		fill_in(&s);
	s.taken = (uint32_t)r.tcp.stats.brief_sends;
	rig_close(&r);
	return s;
}

/* @return how many pieces took the short way */
static uint32_t
compare(const struct rig_setup *setup, bool is_narrow)
{
	uint32_t taken = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct story brief = tell(setup, seed, is_narrow, false);
		const struct story full = tell(setup, seed, is_narrow, true);

		CU_ASSERT_EQUAL(full.taken, 0);
		taken += brief.taken;
		brief.taken = 0;
		CU_ASSERT_EQUAL(memcmp(&brief, &full, sizeof(brief)), 0);
	}
	return taken;
}

static void
plain(void)
{
	CU_ASSERT(compare(&(struct rig_setup){0}, false) > 1000);
}

static void
with_timestamps_and_sack(void)
{
	const struct rig_setup setup = {.use_ts = true, .use_sack = true, .use_wscale = true};

	CU_ASSERT(compare(&setup, false) > 1000);
}

static void
by_ipv6_with_offloads(void)
{
	const struct rig_setup setup = {.is_v6 = true, .use_sack = true, .use_tso = true};

	CU_ASSERT(compare(&setup, false) > 1000);
}

static void
against_a_small_window(void)
{
	CU_ASSERT(compare(&(struct rig_setup){.wnd = 2500, .use_sack = true}, true) > 100);
	CU_ASSERT_EQUAL(compare(&(struct rig_setup){.wnd = 1500, .use_sack = true}, true), 0);
}

/* Without an mbuf nothing is lost but time. */
static void
dry_pool_is_waited_for(void)
{
	struct rte_mbuf *all[4096];
	unsigned int n = 0;

	rig_open(&r, WEIR_TCP_ESTABLISHED);
	rig_write_parts(&r, 100, 100);
	while (n < RTE_DIM(all) && (all[n] = rte_pktmbuf_alloc(r.pool)) != NULL)
		n++;
	rig_turn(&r, &(struct weir_vec){0});
	rig_sent_nothing(&r);
	rte_pktmbuf_free_bulk(all, n);
	rig_turn(&r, &(struct weir_vec){0});
	rig_sent(&r, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 100);
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(plain),
		UNIT(with_timestamps_and_sack),
		UNIT(by_ipv6_with_offloads),
		UNIT(against_a_small_window),
		UNIT(dry_pool_is_waited_for),
		{NULL, NULL},
	};

	return unit_main("tcp_brief", tests, true);
}
