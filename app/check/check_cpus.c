/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdlib.h>

struct cpu_list {
	int n; /* negative: not known */
	int cpus[CHECK_CPUS_MAX];
};

static void
parse_list(struct cpu_list *list, const char *text)
{
	list->n = *text == '\0' ? 0 : weir_sys_list(text, list->cpus, CHECK_CPUS_MAX);
}

static void
read_list(const struct check *c, struct cpu_list *list, const char *file)
{
	char text[4096];

	list->n = -1;
	if (weir_sys_read(text, sizeof(text), c->root, "/sys/devices/system/cpu/%s", file) == 0)
		parse_list(list, text);
}

static void
read_allowed(const struct check *c, struct cpu_list *list)
{
	char status[8192], text[4096];

	list->n = -1;
	if (weir_sys_read(status, sizeof(status), c->root, "/proc/self/status") == 0 &&
		weir_sys_field(text, sizeof(text), status, "Cpus_allowed_list") == 0)
		parse_list(list, text);
}

static bool
has_cpu(const struct cpu_list *list, int cpu)
{
	for (int i = 0; i < list->n; i++)
		if (list->cpus[i] == cpu)
			return true;
	return false;
}

static unsigned int
count_workers(const struct weir_conf *conf, int cpu)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < conf->n_workers; i++)
		n += conf->cpus[i] == cpu;
	return n;
}

static bool
is_seen_before(const struct weir_conf *conf, unsigned int worker)
{
	for (unsigned int i = 0; i < worker; i++)
		if (conf->cpus[i] == conf->cpus[worker])
			return true;
	return false;
}

static void
check_cpu(struct check *c, int cpu)
{
	const unsigned int n = count_workers(c->conf, cpu);
	const bool is_polling = c->conf->idle == WEIR_IDLE_POLL;
	struct cpu_list online, allowed, isolated;

	read_list(c, &online, "online");
	read_list(c, &isolated, "isolated");
	read_allowed(c, &allowed);
	if (online.n >= 0 && !has_cpu(&online, cpu))
		check_say(c, CHECK_FAULT,
			"cpu %d: this machine has no such CPU online; change [workers] cpus", cpu);
	else if (allowed.n >= 0 && !has_cpu(&allowed, cpu))
		check_say(c, CHECK_FAULT,
			"cpu %d: this process may not use it (taskset, cgroup); allow it or "
			"change [workers] cpus",
			cpu);
	else if (n > 1 && is_polling)
		check_say(c, CHECK_NOTE,
			"cpu %d: %u workers poll on it in turns; [workers] idle = sleep makes way",
			cpu, n);
	else if (is_polling && !has_cpu(&isolated, cpu))
		check_say(c, CHECK_NOTE,
			"cpu %d: other programs may interrupt its worker; isolcpus=%d on the "
			"kernel command line keeps them off",
			cpu, cpu);
	else
		check_say(c, CHECK_OK, "cpu %d: %u worker%s", cpu, n, n > 1 ? "s" : "");
}

/* No CPUs are named: workers take turns on those that the process may use. */
static void
check_any_cpu(struct check *c)
{
	struct cpu_list allowed;

	read_allowed(c, &allowed);
	if (allowed.n < 0 || c->conf->n_workers <= (unsigned int)allowed.n)
		check_say(c, CHECK_OK, "cpus: any for %u worker%s", c->conf->n_workers,
			c->conf->n_workers > 1 ? "s" : "");
	else
		check_say(c, CHECK_NOTE, "cpus: %u workers share %d CPU%s", c->conf->n_workers,
			allowed.n, allowed.n > 1 ? "s" : "");
}

void
check_cpus(struct check *c)
{
	if (c->conf->lcores[0] != '\0') {
		check_say(c, CHECK_NOTE, "cpus: [eal] lcores is DPDK's to judge; not looked at");
		return;
	}
	if (c->conf->cpus[0] < 0) {
		check_any_cpu(c);
		return;
	}
	for (unsigned int i = 0; i < c->conf->n_workers; i++)
		if (!is_seen_before(c->conf, i))
			check_cpu(c, c->conf->cpus[i]);
}
