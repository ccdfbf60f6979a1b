/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "conf_priv.h"
#include "weir_numa.h"
#include "weir_sys.h"

/* Arguments as they grow: strings one behind the other in text. */
struct args {
	char **argv;
	char *text;
	size_t text_len;
	size_t used;
	int n;
	bool is_full;
};

static void
add_bytes(struct args *a, const char *bytes, size_t len)
{
	if (a->n == WEIR_CONF_EAL_MAX - 1 || a->text_len - a->used < len + 1) {
		a->is_full = true;
		return;
	}
	a->argv[a->n++] = a->text + a->used;
	memcpy(a->text + a->used, bytes, len);
	a->text[a->used + len] = '\0';
	a->used += len + 1;
}

static void add(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct args *a, const char *fmt, ...)
{
	char arg[2048];
	va_list va;
	int n;

	va_start(va, fmt);
	n = vsnprintf(arg, sizeof(arg), fmt, va);
	va_end(va);
	if (n < 0 || (size_t)n >= sizeof(arg))
		a->is_full = true;
	else
		add_bytes(a, arg, (size_t)n);
}

static void
add_words(struct args *a, const char *text)
{
	for (;;) {
		text += strspn(text, " \t");
		if (*text == '\0')
			return;
		add_bytes(a, text, strcspn(text, " \t"));
		text += strcspn(text, " \t");
	}
}

/* ---- lcores ---- */

/* The CPU of each worker. Where any will do, workers take turns through the CPUs we may use; while
 * there are more of these than workers, the first stays the control thread's. */
static void
choose_cpus(const struct weir_conf *conf, const struct conf_machine *m, int *cpus)
{
	const unsigned int first = m->n_cpus > conf->n_workers;

	for (unsigned int i = 0; i < conf->n_workers; i++) {
		if (conf->cpus[i] >= 0)
			cpus[i] = conf->cpus[i];
		else
			cpus[i] = m->n_cpus > 0 ? m->cpus[(first + i) % m->n_cpus] : 0;
	}
}

static bool
is_worker_cpu(const int *cpus, unsigned int n, int cpu)
{
	for (unsigned int i = 0; i < n; i++)
		if (cpus[i] == cpu)
			return true;
	return false;
}

/* "0-3,8," for cpus[n]; @return characters written, len or more: no room. */
static size_t
format_cpus(const int *cpus, unsigned int n, char *text, size_t len)
{
	unsigned int last;
	size_t at = 0;

	for (unsigned int i = 0; i < n && at < len; i = last + 1) {
		last = i;
		while (last + 1 < n && cpus[last + 1] == cpus[last] + 1)
			last++;
		at += (size_t)snprintf(text + at, len - at, "%d", cpus[i]);
		if (last > i && at < len)
			at += (size_t)snprintf(text + at, len - at, "-%d", cpus[last]);
		if (at < len)
			at += (size_t)snprintf(text + at, len - at, ",");
	}
	return at;
}

/* The control thread, whose CPUs all application threads inherit, may use what no worker uses; or,
 * where workers use all, everything. */
static size_t
format_control(const struct conf_machine *m, const int *worker_cpus, unsigned int n, char *text,
	size_t len)
{
	struct conf_machine spare = {.n_cpus = 0};
	size_t at;

	for (unsigned int i = 0; i < m->n_cpus; i++)
		if (!is_worker_cpu(worker_cpus, n, m->cpus[i]))
			spare.cpus[spare.n_cpus++] = m->cpus[i];
	if (m->n_cpus == 0)
		return (size_t)snprintf(text, len, "0@%d", worker_cpus[0]);
	if (spare.n_cpus > 0)
		m = &spare;
	at = (size_t)snprintf(text, len, "0@(");
	at += format_cpus(m->cpus, m->n_cpus, text + at, len - at);
	if (at < len)
		text[at - 1] = ')';
	return at;
}

static void
add_lcores(struct args *a, const struct weir_conf *conf, const struct conf_machine *m)
{
	int cpus[WEIR_CONF_WORKERS_MAX];
	char text[1900];
	size_t at;

	if (conf->lcores[0] != '\0') {
		add(a, "--lcores=%s", conf->lcores);
		return;
	}
	choose_cpus(conf, m, cpus);
	at = format_control(m, cpus, conf->n_workers, text, sizeof(text));
	for (unsigned int i = 0; i < conf->n_workers && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, ",%u@%d", i + 1, cpus[i]);
	if (at < sizeof(text))
		add(a, "--lcores=%s", text);
	else
		a->is_full = true;
}

/* ---- memory and devices ---- */

static bool
has_hugepages(const struct weir_conf *conf, const struct conf_machine *m)
{
	if (!conf->is_hugepages_auto)
		return conf->use_hugepages;
	return m->huge_free_mb >= conf->memory_mb && (conf->in_memory || m->has_hugetlbfs);
}

static void
add_memory(struct args *a, const struct weir_conf *conf, const struct conf_machine *m)
{
	const bool is_huge = has_hugepages(conf, m);

	add(a, "-m");
	add(a, "%" PRIu32, conf->memory_mb);
	if (!is_huge)
		add(a, "--no-huge");
	/* EAL refuses --in-memory without hugepages; what is left of it then is --no-shconf. */
	if (conf->in_memory)
		add(a, is_huge ? "--in-memory" : "--no-shconf");
	if (conf->file_prefix[0] != '\0')
		add(a, "--file-prefix=%s", conf->file_prefix);
}

static void
add_devices(struct args *a, const struct weir_conf *conf)
{
	if (conf->n_pci == 0)
		add(a, "--no-pci");
	for (unsigned int i = 0; i < conf->n_pci; i++)
		add(a, "--allow=%s", conf->pci[i]);
	for (unsigned int i = 0; i < conf->n_vdevs; i++)
		add(a, "--vdev=%s", conf->vdevs[i]);
}

int
conf_eal_args(const struct weir_conf *conf, const struct conf_machine *m, const char *program,
	char *argv[WEIR_CONF_EAL_MAX], char *text, size_t text_len)
{
	struct args a = {.argv = argv, .text = text, .text_len = text_len};

	add(&a, "%s", program);
	add_lcores(&a, conf, m);
	add_memory(&a, conf, m);
	add_devices(&a, conf);
	if (!conf->telemetry)
		add(&a, "--no-telemetry");
	add_words(&a, conf->eal_extra);
	if (a.is_full)
		return -ENOSPC;
	argv[a.n] = NULL;
	return a.n;
}

/* ---- the machine ---- */

void
conf_machine_read(struct conf_machine *m)
{
	struct weir_hugepages huge;
	char dir[WEIR_CONF_TEXT_MAX];
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	m->n_cpus = 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			m->cpus[m->n_cpus++] = cpu;
	weir_sys_hugepages(&huge, NULL);
	m->huge_free_mb = weir_hugepages_free_mb(&huge);
	m->has_hugetlbfs = weir_sys_hugetlbfs(dir, sizeof(dir), NULL) == 0;
}

/* CPUs on the first NIC's node come first, so that workers land there. */
static void
prefer_node(struct conf_machine *m, int node)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n_cpus; i++) {
		const int cpu = m->cpus[i];

		if (weir_numa_of_cpu(NULL, cpu) != node)
			continue;
		memmove(&m->cpus[n + 1], &m->cpus[n], (i - n) * sizeof(m->cpus[0]));
		m->cpus[n++] = cpu;
	}
}

int
weir_conf_eal_args(const struct weir_conf *conf, const char *program, char *argv[WEIR_CONF_EAL_MAX],
	char *text, size_t text_len)
{
	struct conf_machine m;

	conf_machine_read(&m);
	if (conf->n_pci > 0 && weir_numa_of_pci(NULL, conf->pci[0]) >= 0)
		prefer_node(&m, weir_numa_of_pci(NULL, conf->pci[0]));
	return conf_eal_args(conf, &m, program, argv, text, text_len);
}
