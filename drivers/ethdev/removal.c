/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that is taken away while it runs. */
#include "ethdev_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_pause.h>

#include "weir_log.h"

void
ethdev_say_removed(struct ethdev *e)
{
	if (!__atomic_exchange_n(&e->is_gone, true, __ATOMIC_RELAXED))
		WEIR_LOG(ERR, "port %s: device removed; it is let go when the stack ends",
			e->port.info.name);
}

/* Runs on the interrupt thread. */
static void
on_device_event(const char *name, enum rte_dev_event_type type, void *arg)
{
	(void)name;
	if (type == RTE_DEV_EVENT_REMOVE)
		ethdev_say_removed(arg);
}

/*
 * VFIO asks for its devices back, and waits. Those of UIO are gone at once, and their registers
 * with them: whoever touches those gets a SIGBUS, upon which EAL puts memory in their place.
 */
static bool
is_uio(const char *name)
{
	char path[PATH_MAX], driver[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", name);
	n = readlink(path, driver, sizeof(driver) - 1);
	driver[n > 0 ? n : 0] = '\0';
	return strstr(driver, "uio") != NULL;
}

void
ethdev_watch_removal(struct ethdev *e)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	if (rte_eth_dev_get_name_by_port(e->id, name) != 0)
		return;
	rte_dev_event_callback_register(name, on_device_event, e);
	/* the handler of SIGBUS stays for as long as EAL: other ports may need it */
	e->is_monitoring = is_uio(name) && rte_dev_hotplug_handle_enable() == 0 &&
			   rte_dev_event_monitor_start() == 0;
}

void
ethdev_unwatch_removal(struct ethdev *e)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	if (e->is_monitoring)
		rte_dev_event_monitor_stop();
	e->is_monitoring = false;
	if (rte_eth_dev_get_name_by_port(e->id, name) != 0)
		return;
	while (rte_dev_event_callback_unregister(name, on_device_event, e) == -EAGAIN)
		rte_pause(); /* it runs */
}
