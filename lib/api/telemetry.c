/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of telemetry_priv.h: which there are, and whom they are about. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "telemetry_priv.h"
#include "weir_log.h"

/*
 * The one mutable global of Weir: rte_telemetry calls back with the command's text alone, without
 * an argument of ours, so a callback finds its stack by name in a list of the process. Off the
 * packet path; held while a command is answered, so that no stack goes meanwhile.
 */
static pthread_mutex_t stacks_lock = PTHREAD_MUTEX_INITIALIZER;
static TAILQ_HEAD(, weir_stack) stacks = TAILQ_HEAD_INITIALIZER(stacks);

static const struct command {
	const char *name;
	int (*answer)(struct tel_req *r);
	const char *help;
} commands[] = {
	{"/weir/ports", tel_ports,
		"Ports of a stack: device, link, addresses, packets. Parameters: stack, from"},
	{"/weir/workers", tel_workers,
		"Workers: lcore, turns, sleeps, connections. Parameters: stack, from"},
	{"/weir/pools", tel_pools,
		"Pools: mbufs, sockets, descriptors, connections; size, free, in use. "
		"Parameters: stack, from"},
	{"/weir/sockets", tel_sockets,
		"Sockets and TCP connections as ss shows them. Parameters: stack, from"},
	{"/weir/trace", tel_trace,
		"The latest events of a TCP connection. Parameters: stack, id in /weir/sockets"},
	{"/weir/counters", tel_counters,
		"Every counter, by layer; the sum, or one worker's. Parameters: stack, worker"},
	{"/weir/addrs", tel_addrs, "Addresses. Parameters: stack, from"},
	{"/weir/routes", tel_routes, "Routes. Parameters: stack, from"},
	{"/weir/neighs", tel_neighs, "Neighbours. Parameters: stack, from"},
	{"/weir/way", tel_way, "How a packet would go. Parameters: stack, address"},
	{"/weir/net", tel_net,
		"Change addresses, routes, neighbours or ports, as weir-ctl does. "
		"Parameters: stack, command"},
};

void
weir_telemetry_add(struct weir_stack *st)
{
	pthread_mutex_lock(&stacks_lock);
	TAILQ_INSERT_TAIL(&stacks, st, link);
	pthread_mutex_unlock(&stacks_lock);
}

/* A stack that could not be built was never added. */
void
weir_telemetry_del(struct weir_stack *st)
{
	struct weir_stack *s;

	pthread_mutex_lock(&stacks_lock);
	TAILQ_FOREACH (s, &stacks, link)
		if (s == st)
			break;
	if (s != NULL)
		TAILQ_REMOVE(&stacks, s, link);
	pthread_mutex_unlock(&stacks_lock);
}

/* The stack of this name; without a name the only one. */
static struct weir_stack *
find_stack(const char *name)
{
	struct weir_stack *st, *first = TAILQ_FIRST(&stacks);

	if (name[0] == '\0')
		return first != NULL && TAILQ_NEXT(first, link) == NULL ? first : NULL;
	TAILQ_FOREACH (st, &stacks, link)
		if (strcmp(st->conf.name, name) == 0)
			return st;
	return NULL;
}

static int
refuse(struct rte_tel_data *d, const char *why)
{
	tel_text(d, "error", "%s", why);
	return 0;
}

/* "STACK,ARGUMENT" into r; text is cut apart. */
static void
read_params(struct tel_req *r, char *text)
{
	char *arg = strchr(text, ',');

	r->arg = "";
	if (arg != NULL) {
		*arg = '\0';
		r->arg = arg + 1;
	}
	r->from = strtoull(r->arg, NULL, 10);
	r->st = find_stack(text);
}

static const struct command *
find_command(const char *name)
{
	for (unsigned int i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
answer_locked(const struct command *c, const char *params, struct rte_tel_data *d)
{
	struct tel_req r = {.d = d};
	char text[WEIR_CONF_NAME_MAX + 512];

	if (TAILQ_EMPTY(&stacks))
		return refuse(d, "no stack");
	if (snprintf(text, sizeof(text), "%s", params == NULL ? "" : params) >= (int)sizeof(text))
		return refuse(d, "parameters too long");
	read_params(&r, text);
	if (r.st == NULL)
		return refuse(d, text[0] == '\0' ? "several stacks: name one" : "no such stack");
	tel_text(d, "stack", "%s", r.st->conf.name);
	return c->answer(&r);
}

static int
answer(const char *cmd, const char *params, struct rte_tel_data *d)
{
	const struct command *c = find_command(cmd);
	int rc;

	if (c == NULL)
		return -EINVAL;
	rte_tel_data_start_dict(d);
	pthread_mutex_lock(&stacks_lock);
	rc = answer_locked(c, params, d);
	pthread_mutex_unlock(&stacks_lock);
	return rc;
}

static int
answer_stacks(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct weir_stack *st;

	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	pthread_mutex_lock(&stacks_lock);
	TAILQ_FOREACH (st, &stacks, link)
		rte_tel_data_add_array_string(d, st->conf.name);
	pthread_mutex_unlock(&stacks_lock);
	return 0;
}

static int
answer_help(const char *cmd, const char *params, struct rte_tel_data *d)
{
	return tel_counter_help(d, params == NULL ? "" : params);
}

static void
enter(const char *name, telemetry_cb fn, const char *help)
{
	const int rc = rte_telemetry_register_cmd(name, fn, help);

	if (rc != 0)
		WEIR_LOG(WARNING, "telemetry command %s: %s", name, strerror(-rc));
}

/* As DPDK's own libraries do it: when the program is loaded, whether telemetry will be on or not.
 */
RTE_INIT(weir_telemetry_init)
{
	enter("/weir/stacks", answer_stacks, "Names of the stacks. No parameters");
	for (unsigned int i = 0; i < RTE_DIM(commands); i++)
		enter(commands[i].name, answer, commands[i].help);
	enter("/weir/counter_help", answer_help,
		"Unit and meaning of a layer's counters; without a layer, the layers. "
		"Parameters: layer");
}
