/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "weir_pkt.h"

/* What rte_mempool adds to each object: its header and a share of the ring. */
#define MEMPOOL_OVERHEAD 80

bool
check_uses_hugepages(const struct check *c)
{
	struct weir_hugepages huge;
	char dir[WEIR_CONF_TEXT_MAX];

	if (!c->conf->is_hugepages_auto)
		return c->conf->use_hugepages;
	weir_sys_hugepages(&huge, c->root);
	return weir_hugepages_free_mb(&huge) >= c->conf->memory_mb &&
	       (c->conf->in_memory || weir_sys_hugetlbfs(dir, sizeof(dir), c->root) == 0);
}

static void
say_sizes(struct check *c, const struct weir_hugepages *huge)
{
	for (unsigned int i = 0; i < huge->n_sizes; i++)
		check_say(c, CHECK_OK, "hugepages of %" PRIu64 " kB: %" PRIu64 " free of %" PRIu64,
			huge->sizes[i].kb, huge->sizes[i].free, huge->sizes[i].total);
}

/* How to get as many as are missing, in pages of the smallest size. */
static void
say_too_few(struct check *c, const struct weir_hugepages *huge, enum check_level level,
	const char *consequence)
{
	const struct weir_hugepage_size *s = &huge->sizes[0];
	const uint64_t free_mb = weir_hugepages_free_mb(huge);
	uint64_t missing;

	if (huge->n_sizes == 0) {
		check_say(c, level, "hugepages: this kernel has none%s; set [eal] hugepages = no",
			consequence);
		return;
	}
	missing = ((c->conf->memory_mb - free_mb) * 1024 + s->kb - 1) / s->kb;
	check_say(c, level,
		"hugepages: %" PRIu64 " MB free, [eal] memory = %u%s; reserve more: "
		"echo %" PRIu64 " > /sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages",
		free_mb, c->conf->memory_mb, consequence, s->total + missing, s->kb);
}

static void
check_mount(struct check *c)
{
	char dir[WEIR_CONF_TEXT_MAX];

	if (c->conf->in_memory)
		return;
	if (weir_sys_hugetlbfs(dir, sizeof(dir), c->root) < 0)
		check_say(c, CHECK_FAULT,
			"hugepages: no hugetlbfs is mounted, and [eal] in_memory = no needs one; "
			"mount -t hugetlbfs nodev /dev/hugepages, or in_memory = yes");
	else if (!weir_sys_access(W_OK, c->root, "%s", dir))
		check_say(c, CHECK_FAULT,
			"hugepages: %s can't be written; run as root, or [eal] in_memory = yes",
			dir);
}

static void
check_hugepages(struct check *c)
{
	const bool is_wanted = c->conf->use_hugepages || c->conf->n_pci > 0;
	struct weir_hugepages huge;

	weir_sys_hugepages(&huge, c->root);
	if (is_wanted || c->conf->is_hugepages_auto)
		say_sizes(c, &huge);
	if (check_uses_hugepages(c) && weir_hugepages_free_mb(&huge) >= c->conf->memory_mb)
		check_mount(c);
	else if (!c->conf->use_hugepages && !c->conf->is_hugepages_auto && c->conf->n_pci > 0)
		check_say(c, CHECK_FAULT,
			"hugepages: [eal] hugepages = no, but PCI devices need them; say auto or "
			"yes");
	else if (is_wanted)
		say_too_few(c, &huge, CHECK_FAULT, "");
	else if (c->conf->is_hugepages_auto)
		say_too_few(c, &huge, CHECK_NOTE, ": runs without, somewhat slower");
}

/* Packet buffers are most of what a stack allocates; the rest must still fit beside them. */
static void
check_pools(struct check *c)
{
	const uint64_t buffer = c->conf->mbuf_data_room + sizeof(struct rte_mbuf) + WEIR_PKT_PRIV +
				MEMPOOL_OVERHEAD;
	const uint64_t need_mb = (c->conf->n_workers * c->conf->mbufs * buffer >> 20) + 1;

	if (need_mb <= c->conf->memory_mb)
		return;
	check_say(c, check_uses_hugepages(c) ? CHECK_NOTE : CHECK_FAULT,
		"memory: [pools] mbufs = %u for %u workers take %" PRIu64
		" MB, [eal] memory = %u; raise memory or lower mbufs",
		c->conf->mbufs, c->conf->n_workers, need_mb, c->conf->memory_mb);
}

static void
check_ram(struct check *c)
{
	char text[4096], value[32];
	uint64_t free_mb;

	if (check_uses_hugepages(c) ||
		weir_sys_read(text, sizeof(text), c->root, "/proc/meminfo") < 0 ||
		weir_sys_field(value, sizeof(value), text, "MemAvailable") < 0)
		return;
	free_mb = strtoull(value, NULL, 10) / 1024;
	if (free_mb < c->conf->memory_mb)
		check_say(c, CHECK_FAULT,
			"memory: %" PRIu64 " MB available, [eal] memory = %u; lower it", free_mb,
			c->conf->memory_mb);
}

void
check_memory(struct check *c)
{
	check_hugepages(c);
	check_pools(c);
	check_ram(c);
}
