/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning and the end: knobs, EAL, cable, stack. */
#include "pd.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "weir_pkt.h"

#define EAL_ARGS_MAX 64
#define IN_MBUFS     8191
#define WIRE_MTU     65535 /* an injected packet may be as large as IP allows */
#define WIRE_DEPTH   8192

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "weir-packetdrill: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(EXIT_FAILURE);
}

static int
first_cpu(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &set))
				return cpu;
	return 0;
}

static void
eal_init(const char *options)
{
	char text[2048], *rest = text, *arg, *argv[EAL_ARGS_MAX] = {(char *)(uintptr_t) "weir"};
	int argc = 1;

	/* Later options win: those of the knob stand last, but for what must be unique. */
	snprintf(text, sizeof(text), "--log-level=5 --lcores=0@%d %s --file-prefix=weir-pd-%d",
		first_cpu(), options, getpid());
	while ((arg = strsep(&rest, " ")) != NULL && argc < EAL_ARGS_MAX - 1)
		if (*arg != '\0')
			argv[argc++] = arg;
	if (rte_eal_init(argc, argv) < 0)
		die("rte_eal_init: %s (options: %s)", rte_strerror(rte_errno), text);
}

/* Once per process: a second script goes on with the EAL of the first. */
static void
start_eal(const struct pd_knobs *k)
{
	cpu_set_t set;
	const bool has_set = sched_getaffinity(0, sizeof(set), &set) == 0;

	if (rte_lcore_count() != 0)
		return;
	eal_init(k->eal);
	if (has_set) /* EAL has tied this thread to one CPU */
		sched_setaffinity(0, sizeof(set), &set);
}

/* EAL leaves its directory behind; the tool may exit at any point. */
__attribute__((destructor)) static void
remove_runtime_dir(void)
{
	if (rte_lcore_count() != 0)
		rmdir(rte_eal_get_runtime_dir());
}

static void
lay_cable(struct pd *p)
{
	const struct weir_cable_conf conf = {.mtu = WIRE_MTU, .queue_depth = WIRE_DEPTH};
	const int rc = weir_cable_new("pd", &conf, &p->clock, &p->cable);

	if (rc != 0)
		die("cable: %s", strerror(-rc));
	p->wire = weir_cable_port(p->cable, 1);
	p->pool = rte_pktmbuf_pool_create(
		"pd_in", IN_MBUFS, 0, WEIR_PKT_PRIV, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (p->pool == NULL)
		die("no memory for packets: %s", rte_strerror(rte_errno));
}

/* IP has its MTU from the knobs by now; the port takes what comes. */
static void
start_stack(struct pd *p)
{
	struct weir_port *port = weir_cable_port(p->cable, 0);
	char err[WEIR_CONF_ERR_MAX];

	if (weir_stack_new(&p->knobs.conf, &p->clock, &p->st, err, sizeof(err)) != 0)
		die("%s", err);
	port->ops->set_mtu(port, WIRE_MTU);
}

static void
pd_free(void *ctx)
{
	struct pd *p = pd_enter(ctx);

	pd_fd_fini(p);
	pd_step(p);
	weir_cable_link(p->cable, false); /* what the stack says at its end, nobody hears */
	weir_stack_free(p->st);
	weir_cable_free(p->cable);
	rte_mempool_free(p->pool);
	pd_wire_drop(p);
	pthread_mutex_unlock(&p->lock);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->cond);
	free(p);
}

__attribute__((visibility("default"))) void
weir_packetdrill_init(const char *flags, struct pd_table *table)
{
	struct pd *p = calloc(1, sizeof(*p));
	char err[WEIR_CONF_ERR_MAX];

	if (p == NULL)
		die("no memory");
	if (pd_knobs_read(&p->knobs, flags, err, sizeof(err)) != 0)
		die("--so_flags: %s", err);
	start_eal(&p->knobs);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->cond, NULL);
	p->main = pthread_self();
	STAILQ_INIT(&p->out);
	TAILQ_INIT(&p->waiting);
	pd_clock_init(p);
	lay_cable(p);
	start_stack(p);
	pd_step(p);
	pd_wire_drop(p);
	pd_calls(table);
	pd_polls(table);
	table->context = p;
	table->free = pd_free;
	table->netdev_send = pd_netdev_send;
	table->netdev_receive = pd_netdev_receive;
	table->usleep = pd_usleep;
	table->gettimeofday = pd_gettimeofday;
}
