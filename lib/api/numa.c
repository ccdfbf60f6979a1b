/* SPDX-License-Identifier: BSD-3-Clause */
#include "weir_numa.h"

#include <numa.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>
#include <rte_memory.h>

#include "weir_sys.h"

#define NODES_MAX 64

/* cpuN/nodeM exists for the one M the CPU is on. */
static int
node_by_sysfs(const char *root, int cpu)
{
	for (int node = 0; node < NODES_MAX; node++)
		if (weir_sys_access(F_OK, root, "/sys/devices/system/cpu/cpu%d/node%d", cpu, node))
			return node;
	return SOCKET_ID_ANY;
}

int
weir_numa_of_cpu(const char *root, int cpu)
{
	int node = -1;

	if ((root == NULL || *root == '\0') && numa_available() >= 0)
		node = numa_node_of_cpu(cpu);
	return node >= 0 ? node : node_by_sysfs(root, cpu);
}

int
weir_numa_of_lcore(unsigned int lcore_id)
{
	const rte_cpuset_t set = rte_lcore_cpuset(lcore_id);
	int node = SOCKET_ID_ANY;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (node != SOCKET_ID_ANY && node != weir_numa_of_cpu(NULL, cpu))
			return SOCKET_ID_ANY;
		node = weir_numa_of_cpu(NULL, cpu);
	}
	return node;
}

int
weir_numa_of_pci(const char *root, const char *device)
{
	const int len = (int)strcspn(device, ",");
	int64_t node;

	if (weir_sys_number(&node, root, "/sys/bus/pci/devices/%.*s/numa_node", len, device) < 0)
		return SOCKET_ID_ANY;
	return node >= 0 ? (int)node : SOCKET_ID_ANY;
}
