/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, workers and pools as tables. */
#include <string.h>

#include "stat.h"

/* "a, b, c" */
static void
join(const json_t *list, char *text, size_t len)
{
	const json_t *item;
	size_t i, at = 0;

	text[0] = '\0';
	json_array_foreach(list, i, item) if (at < len) at += (size_t)snprintf(
		text + at, len - at, "%s%s", i == 0 ? "" : ", ", json_string_value(item));
}

static void
add_link(struct stat_table *t, const json_t *port)
{
	const long long mbps = stat_int(port, "speed_mbps");

	if (mbps == 0)
		table_add(t, "%s", stat_text(port, "link"));
	else
		table_add(t, "%s %lld Mbit/s", stat_text(port, "link"), mbps);
}

static void
add_numbers(struct stat_table *t, const json_t *of, const char *const *names)
{
	for (; *names != NULL; names++)
		table_add(t, "%lld", stat_int(of, *names));
}

void
show_ports(const json_t *of, const struct stat_opts *o)
{
	static const char *const counts[] = {"mtu", "queues", "rx_packets", "rx_bytes",
		"tx_packets", "tx_bytes", "rx_missed", "rx_errors", "rx_no_mbuf", "tx_errors",
		NULL};
	struct stat_table *t = table_new("Port,Driver,Device,Link,MAC,>MTU,>Queues,>Rx-pkts,"
					 ">Rx-bytes,>Tx-pkts,>Tx-bytes,>Rx-missed,>Rx-errors,"
					 ">Rx-no-mbuf,>Tx-errors");
	char text[1024];
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(of, "ports"), i, port)
	{
		table_add(t, "%s", stat_text(port, "name"));
		table_add(t, "%s", stat_text(port, "driver"));
		table_add(t, "%s", stat_text(port, "device"));
		add_link(t, port);
		table_add(t, "%s", stat_text(port, "mac"));
		add_numbers(t, port, counts);
		join(json_object_get(port, "addresses"), text, sizeof(text));
		table_note(t, "addresses: %s", text);
		join(json_object_get(port, "offloads"), text, sizeof(text));
		table_note(t, "offloads: %s", text);
	}
	table_print(t, stdout);
}

void
show_workers(const json_t *of, const struct stat_opts *o)
{
	static const char *const counts[] = {
		"connections", "rx_frames", "tx_made", "turns", "busy_turns", "sleeps", NULL};
	struct stat_table *t = table_new(">Worker,>Lcore,>Busy,>Connections,>Rx-frames,>Tx-made,"
					 ">Turns,>Busy-turns,>Sleeps");
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(of, "workers"), i, w)
	{
		table_add(t, "%lld", stat_int(w, "worker"));
		if (stat_int(w, "lcore") < 0)
			table_add(t, "-");
		else
			table_add(t, "%lld", stat_int(w, "lcore"));
		table_add(t, "%.1f%%", json_real_value(json_object_get(w, "busy_percent")));
		add_numbers(t, w, counts);
	}
	table_print(t, stdout);
}

void
show_pools(const json_t *of, const struct stat_opts *o)
{
	static const char *const counts[] = {"size", "in_use", "free", NULL};
	struct stat_table *t = table_new("Pool,>Size,>In-use,>Free");
	const json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(of, "pools"), i, pool)
	{
		table_add(t, "%s", stat_text(pool, "name"));
		add_numbers(t, pool, counts);
	}
	table_print(t, stdout);
}

void
show_summary(const json_t *of, const struct stat_opts *o)
{
	show_ports(of, o);
	putchar('\n');
	show_workers(of, o);
	putchar('\n');
	show_pools(of, o);
}
