/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets as ss(8) shows them. */
#include <stdint.h>
#include <string.h>

#include "stat.h"

/* What ss -i shows; a threshold that was never set is left out. */
static void
note_conn(struct stat_table *t, const json_t *s)
{
	const long long ssthresh = stat_int(s, "ssthresh");
	char threshold[48] = "";

	if (ssthresh > 0 && ssthresh < INT32_MAX)
		snprintf(threshold, sizeof(threshold), " ssthresh:%lld", ssthresh);
	table_note(t,
		"%s cwnd:%lld%s snd_wnd:%lld mss:%lld rtt:%.3f/%.3f rto:%.3f retrans:%lld/%lld",
		stat_text(s, "cc"), stat_int(s, "cwnd"), threshold, stat_int(s, "snd_wnd"),
		stat_int(s, "mss"), (double)stat_int(s, "srtt_us") / 1e3,
		(double)stat_int(s, "rttvar_us") / 1e3, (double)stat_int(s, "rto_us") / 1e3,
		stat_int(s, "retries"), stat_int(s, "retransmits"));
}

/* A number, or what stands for none. */
static void
add_or(struct stat_table *t, long long number, const char *none)
{
	if (number < 0)
		table_add(t, "%s", none);
	else
		table_add(t, "%lld", number);
}

void
show_sockets(const json_t *of, const struct stat_opts *o)
{
	struct stat_table *t = table_new("Proto,State,>Recv-Q,>Lent,>Send-Q,Local Address:Port,"
					 "Peer Address:Port,>Worker,>Fd");
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(of, "sockets"), i, s)
	{
		table_add(t, "%s", stat_text(s, "proto"));
		table_add(t, "%s", stat_text(s, "state"));
		table_add(t, "%lld", stat_int(s, "recv_q"));
		table_add(t, "%lld", stat_int(s, "lent"));
		table_add(t, "%lld", stat_int(s, "send_q"));
		table_add(t, "%s", stat_text(s, "local"));
		table_add(t, "%s", stat_text(s, "peer"));
		add_or(t, stat_int(s, "worker"), "*");
		add_or(t, stat_int(s, "fd"), "-");
		if (o->is_info && json_object_get(s, "cc") != NULL)
			note_conn(t, s);
	}
	table_print(t, stdout);
}
