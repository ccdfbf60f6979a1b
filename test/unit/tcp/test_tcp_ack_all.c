/* SPDX-License-Identifier: BSD-3-Clause */
/* ACKs of all that is under way take a short way: its result is that of the long one. */
#include "rig.h"

static struct rig r;

#define RTT (30 * RIG_MS)

/* What an ACK leaves behind, whichever way it was taken. */
struct left {
	uint64_t rexmit_at, first_us, delivered_us, rack_us;
	uint32_t una, cwnd, srtt_us, rttvar_us, rto_us;
	uint32_t delivered, delivered_segs, out_segs, head, tail, oldest, newest;
	uint32_t rate_delivered, rate_interval_us, min_rtt_us, app_limited, rack_end;
	uint32_t is_rate_app_limited; /* no padding: compared as bytes */
};

static struct left
look(void)
{
	const struct weir_tcp_conn *c = r.conn;
	const struct weir_tcp_act *act = c->act;
	struct left l;

	l.una = c->snd.una - r.iss;
	l.cwnd = c->cc.cwnd;
	l.srtt_us = c->srtt_us;
	l.rttvar_us = c->rttvar_us;
	l.rto_us = c->rto_us;
	l.rexmit_at = c->rexmit_at;
	l.delivered = act->delivered;
	l.delivered_segs = act->delivered_segs;
	l.out_segs = act->out_segs;
	l.head = act->head;
	l.tail = act->tail;
	l.oldest = act->oldest;
	l.newest = act->newest;
	l.rate_delivered = act->rate_delivered;
	l.rate_interval_us = act->rate_interval_us;
	l.min_rtt_us = act->min_rtt_us;
	l.app_limited = act->app_limited;
	l.rack_end = act->rack_end - r.iss;
	l.first_us = act->first_us;
	l.delivered_us = act->delivered_us;
	l.rack_us = act->rack_us;
	l.is_rate_app_limited = act->is_rate_app_limited;
	return l;
}

/* Flights of these sizes, each acknowledged as a whole; an odd option makes the way long. */
static struct left
send_flights(const struct rig_setup *setup, const uint32_t *sizes, unsigned int n, bool is_long)
{
	struct left l;

	rig_open_rtt(&r, RTT, setup);
	for (unsigned int i = 0; i < n; i++) {
		rig_write(&r, sizes[i]);
		rig_advance(&r, 3 * RIG_MS);
		rig_write(&r, sizes[i] / 3);
		rig_forget(&r);
		rig_advance(&r, RTT + i * RIG_MS);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = r.conn->snd.max - r.iss,
			.opts = is_long ? WEIR_TCP_OPT_MSS : 0, .mss = 1000);
		rig_forget(&r);
	}
	CU_ASSERT_EQUAL(r.tcp.stats.rexmit_segs, 0);
	l = look();
	rig_close(&r);
	return l;
}

static void
compare(const struct rig_setup *setup)
{
	static const uint32_t sizes[] = {6000, 60, 9, 3000, 1000, 9000, 9000};
	const struct left brief = send_flights(setup, sizes, RTE_DIM(sizes), false);
	const struct left full = send_flights(setup, sizes, RTE_DIM(sizes), true);

	CU_ASSERT_EQUAL(memcmp(&brief, &full, sizeof(brief)), 0);
	CU_ASSERT_EQUAL(brief.out_segs, 0);
	CU_ASSERT_EQUAL(brief.rexmit_at, 0);
	CU_ASSERT(brief.cwnd > 10000);
}

static void
short_way_leads_to_the_same_with_sack(void)
{
	compare(&(struct rig_setup){.use_sack = true});
}

static void
short_way_leads_to_the_same_without_sack(void)
{
	compare(&(struct rig_setup){0});
}

static void
short_way_leads_to_the_same_with_super_segments(void)
{
	compare(&(struct rig_setup){.use_sack = true, .use_tso = true});
}

/* Wherever sequence numbers stand, progress in order is no reordering. */
static void
progress_is_not_taken_for_reordering(void)
{
	static const uint32_t starts[] = {0x10000000, 0x70000000, 0x90000000, 0xf0000000};

	for (unsigned int i = 0; i < RTE_DIM(starts); i++) {
		rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true, .iss = starts[i]});
		rig_write(&r, 8000);
		rig_forget(&r);
		rig_advance(&r, RTT);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 2001);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 7001);
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 8001);
		CU_ASSERT_EQUAL(r.conn->act->reord_seen, 0);
		CU_ASSERT_EQUAL(r.conn->act->reordering, 3);
		rig_forget(&r);
		rig_close(&r);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(short_way_leads_to_the_same_with_sack),
		UNIT(short_way_leads_to_the_same_without_sack),
		UNIT(short_way_leads_to_the_same_with_super_segments),
		UNIT(progress_is_not_taken_for_reordering),
		{NULL, NULL},
	};

	return unit_main("tcp_ack_all", tests, true);
}
