/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the sample of doc/trace.md: a connection that lost a segment, then the last of them. Lines
 * of the sample begin with a mark, as CUnit has its own. */
#include "rig.h"

#include <inttypes.h>

#define MARK "sample: "
#define RTT  (10 * RIG_MS)

static struct rig r;

static void
lose_the_first_of_five(void)
{
	rig_write(&r, 5000);
	rig_advance(&r, RTT);
	for (uint32_t end = 2001; end <= 4001; end += 1000)
		rig_recv(&r, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, end}});
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5001);
}

/* And what was sent in its place, once. */
static void
lose_the_last(void)
{
	rig_write(&r, 500);
	while (r.tcp.stats.rto_fired == 0)
		rig_advance(&r, rig_next_timer_us(&r) - r.now_us);
	rig_advance(&r, RTT);
	rig_recv(&r, .flags = ACK, .seq = 1, .ack = 5501);
}

static void
print_events(void)
{
	struct weir_tcp_event events[WEIR_TCP_TRACE_LEN];
	char local[WEIR_ADDR_STRLEN], peer[WEIR_ADDR_STRLEN], text[WEIR_TCP_EVENT_TEXT];
	const unsigned int n = weir_tcp_trace_copy(&r.tcp, r.conn, events);

	printf("\n" MARK "%s:%u to %s:%u: %s\n", weir_addr_format(&r.flow.laddr, local),
		weir_host16(r.flow.lport), weir_addr_format(&r.flow.raddr, peer),
		weir_host16(r.flow.rport), weir_tcp_state_name(r.conn->state));
	for (unsigned int i = 0; i < n; i++)
		printf(MARK "%14.6f s ago  %s\n",
			(double)weir_tcp_event_age_us(&events[i], r.now_us) / 1e6,
			weir_tcp_event_text(&events[i], text));
}

static void
sample(void)
{
	rig_open_rtt(&r, RTT, &(struct rig_setup){.use_sack = true});
	rig_advance(&r, 2 * RIG_S);
	lose_the_first_of_five();
	rig_advance(&r, RIG_S);
	lose_the_last();
	rig_advance(&r, 3 * RIG_S);
	rig_forget(&r);
	print_events();
	rig_close(&r);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT(sample),
		{NULL, NULL},
	};

	return unit_main("doc_trace", tests, true);
}
