/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_priv.h"

void
weir_tcp_conf_default(struct weir_tcp_conf *conf)
{
	*conf = (struct weir_tcp_conf){
		.opts =
			{
				.sndbuf = 1 << 20,
				.rcvbuf = 1 << 20,
				.keep_idle_s = 7200,
				.keep_intvl_s = 75,
				.keep_cnt = 9,
			},
		.max_conns = 65536,
		.max_reqs = 4096,
		.max_waits = 65536,
		.max_traces = 1024,
		.invalid_ratelimit_us = 500000,
		.use_rfc1337 = true,
		.fastopen = 1,
		.max_orphans = 16384,
		.resets_per_s = 10000,
		.challenges_per_s = 1000,
		.syn_cookies = WEIR_TCP_COOKIES_FULL,
		.rto_min_us = 200000, /* RFC 6298 2.4 asks for 1 s; as Linux: see doc/rfc.md */
		.rto_initial_us = 1000000,
		.rto_max_us = 120000000,
		.delack_us = 40000,
		.time_wait_us = 60000000,
		.fin_wait_2_us = 60000000,
		.initial_window = 10,
		.base_mss = 1024,
		.syn_retries = 6,
		.synack_retries = 5,
		.data_retries = 15,
		.orphan_retries = 8,
		.wscale_max = WEIR_TCP_WSCALE_MAX,
		.use_wscale = true,
		.use_timestamps = true,
		.use_sack = true,
		.use_idle_restart = true,
		.use_tlp = true,
		.use_frto = true,
		.use_dsack = true,
		.reordering = WEIR_TCP_DUP_THRESH,
		.ecn = WEIR_TCP_ECN_PASSIVE,
		.ecn_option = WEIR_TCP_ECN_OPTION_ALWAYS,
		.ecn_beacon = 3,
		.port_min = 32768,
		.port_max = 60999,
		.ooo_max = 256,
	};
}

int
weir_tcp_init(struct weir_tcp *t, struct weir_core *core, struct weir_ip *ip,
	struct weir_ready *ready, const struct weir_tcp_conf *conf, int numa_node)
{
	*t = (struct weir_tcp){.core = core, .ip = ip, .ready = ready, .conf = *conf};
	TAILQ_INIT(&t->out);
	t->wait_first = WEIR_TCP_NO_WAIT;
	t->wait_last = WEIR_TCP_NO_WAIT;
	weir_wheel_entry_init(&t->wait_timer, WEIR_TIMER_TCP_WAIT);
	t->held_max = (uint64_t)core->pool->size * core->pool->elt_size / 2;
	t->sndbuf_max = (uint32_t)RTE_MIN((uint64_t)conf->sndbuf_max, t->held_max / 4);
	t->rcvbuf_max = (uint32_t)RTE_MIN((uint64_t)conf->rcvbuf_max, t->held_max / 4);
	t->port_offset = (uint32_t)weir_rand_u64(&core->rand);
	if (t->conf.fo_cache == NULL) {
		t->conf.fo_cache = weir_tcp_fo_cache_new(numa_node);
		t->has_own_fo_cache = true;
	}
	return t->conf.fo_cache == NULL ? -ENOMEM : weir_tcp_table_init(t, numa_node);
}

void
weir_tcp_fini(struct weir_tcp *t)
{
	weir_tcp_table_fini(t);
	weir_tcp_crypto_close(t);
	if (t->has_own_fo_cache)
		weir_tcp_fo_cache_free(t->conf.fo_cache);
	weir_wheel_cancel(t->core->wheel, &t->wait_timer);
}

void
weir_tcp_flush(struct weir_tcp *t)
{
	struct weir_tcp_conn *const last = TAILQ_LAST(&t->out, weir_tcp_conns);
	struct weir_tcp_conn *c = NULL;

	while (c != last) {
		c = TAILQ_FIRST(&t->out);
		TAILQ_REMOVE(&t->out, c, out);
		c->is_out = false;
		if (!weir_tcp_brief(t, c) && !weir_tcp_output(t, c))
			weir_tcp_want_output(t, c); /* behind the others: its turn comes again */
	}
	weir_tcp_park_idle(t);
}
