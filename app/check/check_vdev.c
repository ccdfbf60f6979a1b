/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/if.h>
#include <sys/un.h>

#include <rte_build_config.h>
#include <rte_common.h>
#include <rte_kvargs.h>

/* A virtual device of [eal] vdev, taken apart. */
struct vdev {
	char name[WEIR_CONF_DEVICE_MAX];
	struct rte_kvargs *args;
};

static const char *
get(const struct vdev *v, const char *key)
{
	return rte_kvargs_get(v->args, key);
}

static bool
has_interface(const struct check *c, const char *name)
{
	return weir_sys_access(F_OK, c->root, "/sys/class/net/%s", name);
}

static void
check_interface(struct check *c, const struct vdev *v, const char *name)
{
	int64_t flags;

	if (!has_interface(c, name))
		check_say(c, CHECK_FAULT, "%s: no interface %s here; ip link shows those there are",
			v->name, name);
	else if (weir_sys_number(&flags, c->root, "/sys/class/net/%s/flags", name) == 0 &&
		 !(flags & IFF_UP))
		check_say(c, CHECK_NOTE, "%s: interface %s is down; ip link set %s up", v->name,
			name, name);
}

static void
check_capability(struct check *c, const struct vdev *v, unsigned int capability, const char *name)
{
	if (!check_has_capability(c, capability))
		check_say(c, CHECK_FAULT,
			"%s: needs the capability %s; run as root, or setcap %s+ep the program",
			v->name, name, name);
}

/* A relative name starts where Weir runs, whatever the root of the machine that is looked at. */
static void
check_directory(struct check *c, const struct vdev *v, const char *file)
{
	const char *root = file[0] == '/' ? c->root : "";
	const char *slash = strrchr(file, '/');
	const int len = slash == NULL ? 1 : slash == file ? 1 : (int)(slash - file);
	const char *dir = slash == NULL ? "." : file;

	if (!weir_sys_access(W_OK | X_OK, root, "%.*s", len, dir))
		check_say(c, CHECK_FAULT,
			"%s: %s can't be made: the directory %.*s is missing or not ours to write",
			v->name, file, len, dir);
}

/* ---- net_tap ---- */

/* An interface of that name that another program, or nobody, has attached to can be used again. */
static void
check_tap_name(struct check *c, const struct vdev *v, const char *name)
{
	if (strlen(name) >= IFNAMSIZ)
		check_say(c, CHECK_FAULT, "%s: the interface name %s is longer than %d characters",
			v->name, name, IFNAMSIZ - 1);
	else if (!has_interface(c, name))
		check_say(c, CHECK_OK, "%s: the name %s is free", v->name, name);
	else if (weir_sys_access(F_OK, c->root, "/sys/class/net/%s/tun_flags", name))
		check_say(c, CHECK_NOTE,
			"%s: a tap %s is there; if another program holds it, choose another iface=",
			v->name, name);
	else
		check_say(c, CHECK_FAULT,
			"%s: an interface %s of another kind is there; choose another iface=",
			v->name, name);
}

static void
check_tap(struct check *c, const struct vdev *v)
{
	if (!weir_sys_access(F_OK, c->root, "/dev/net/tun"))
		check_say(c, CHECK_FAULT, "%s: /dev/net/tun is missing; modprobe tun", v->name);
	else if (!weir_sys_access(R_OK | W_OK, c->root, "/dev/net/tun"))
		check_say(c, CHECK_FAULT, "%s: /dev/net/tun can't be opened; run as root", v->name);
	check_capability(c, v, CAP_NET_ADMIN, "cap_net_admin");
	if (get(v, "iface") != NULL)
		check_tap_name(c, v, get(v, "iface"));
	if (get(v, "remote") != NULL)
		check_interface(c, v, get(v, "remote"));
}

/* ---- devices on an interface ---- */

static void
check_af_packet(struct check *c, const struct vdev *v)
{
	check_capability(c, v, CAP_NET_RAW, "cap_net_raw");
	if (get(v, "iface") == NULL)
		check_say(c, CHECK_FAULT, "%s: names no interface; add ,iface=NAME", v->name);
	else
		check_interface(c, v, get(v, "iface"));
}

static void
check_pcap(struct check *c, const struct vdev *v)
{
	const char *const interfaces[] = {"iface", "rx_iface", "rx_iface_in", "tx_iface"};

	for (unsigned int i = 0; i < RTE_DIM(interfaces); i++)
		if (get(v, interfaces[i]) != NULL)
			check_interface(c, v, get(v, interfaces[i]));
	if (get(v, "rx_pcap") != NULL && !weir_sys_access(R_OK, c->root, "%s", get(v, "rx_pcap")))
		check_say(c, CHECK_FAULT, "%s: %s can't be read", v->name, get(v, "rx_pcap"));
	if (get(v, "tx_pcap") != NULL)
		check_directory(c, v, get(v, "tx_pcap"));
}

/* ---- devices on a socket ---- */

static bool
is_no(const char *value)
{
	return value != NULL && strcmp(value, "no") == 0;
}

static void
check_memif(struct check *c, const struct vdev *v)
{
	const char *role = get(v, "role"), *path = get(v, "socket");
	const bool is_server = role != NULL && strcmp(role, "server") == 0;

	if (path == NULL)
		return;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		check_say(c, CHECK_FAULT, "%s: the socket path %s is too long", v->name, path);
	else if (!is_no(get(v, "socket-abstract")))
		check_say(c, CHECK_OK, "%s: abstract socket %s", v->name, path);
	else if (is_server)
		check_directory(c, v, path);
	else if (!weir_sys_access(R_OK | W_OK, c->root, "%s", path))
		check_say(c, CHECK_NOTE, "%s: no server at %s yet; the client will wait", v->name,
			path);
}

static void
check_virtio_user(struct check *c, const struct vdev *v)
{
	const char *path = get(v, "path");

	if (path == NULL)
		check_say(c, CHECK_FAULT,
			"%s: names no backend; add ,path=/dev/vhost-net or a socket", v->name);
	else if (get(v, "server") != NULL && strcmp(get(v, "server"), "1") == 0)
		check_directory(c, v, path);
	else if (!weir_sys_access(R_OK | W_OK, c->root, "%s", path))
		check_say(c, CHECK_FAULT,
			"%s: %s can't be opened; modprobe vhost_net, start the backend, or run as "
			"root",
			v->name, path);
}

static void
check_vhost(struct check *c, const struct vdev *v)
{
	if (get(v, "iface") == NULL)
		check_say(c, CHECK_FAULT, "%s: names no socket; add ,iface=PATH", v->name);
	else
		check_directory(c, v, get(v, "iface"));
}

/* ---- all of them ---- */

static const struct {
	const char *driver;
	void (*check)(struct check *c, const struct vdev *v);
} kinds[] = {
	{"net_tap", check_tap},
	{"net_tun", check_tap},
	{"net_af_packet", check_af_packet},
	{"net_af_xdp", check_af_packet},
	{"net_pcap", check_pcap},
	{"net_memif", check_memif},
	{"net_virtio_user", check_virtio_user},
	{"net_vhost", check_vhost},
};

static void
check_vdev(struct check *c, const struct vdev *v)
{
	struct check_driver driver;
	const int rc = check_find_vdev_driver(c, v->name, &driver);

	if (rc < 0) {
		check_say(c, CHECK_FAULT,
			"%s: DPDK has no driver for it in %s (%s); install dpdk's drivers or "
			"correct the name",
			v->name, RTE_EAL_PMD_PATH, strerror(-rc));
		return;
	}
	check_say(c, CHECK_OK, "%s: DPDK driver %s", v->name, driver.name);
	for (unsigned int i = 0; i < RTE_DIM(kinds); i++)
		if (strcmp(driver.name, kinds[i].driver) == 0)
			kinds[i].check(c, v);
}

static bool
has_values(const struct rte_kvargs *args)
{
	for (unsigned int i = 0; args != NULL && i < args->count; i++)
		if (args->pairs[i].value == NULL)
			return false;
	return args != NULL;
}

static void
check_vdev_text(struct check *c, const char *text)
{
	const size_t len = strcspn(text, ",");
	struct vdev v;

	snprintf(v.name, sizeof(v.name), "%.*s", (int)len, text);
	v.args = rte_kvargs_parse(text[len] == ',' ? text + len + 1 : "", NULL);
	if (has_values(v.args))
		check_vdev(c, &v);
	else
		check_say(c, CHECK_FAULT, "%s: parameters are key=value, with commas between: %s",
			v.name, text);
	rte_kvargs_free(v.args);
}

void
check_vdevs(struct check *c)
{
	for (unsigned int i = 0; i < c->conf->n_vdevs; i++)
		check_vdev_text(c, c->conf->vdevs[i]);
}

/* weir_conf_check() has seen to it that ports name devices of [eal], if that names any. */
void
check_ports(struct check *c)
{
	const struct weir_conf *conf = c->conf;

	if (conf->n_ports == 0)
		check_say(c, CHECK_NOTE, "ports: there are none; add a section [port NAME]");
	if (conf->n_vdevs + conf->n_pci > 0 || conf->eal_extra[0] != '\0')
		return;
	for (unsigned int i = 0; i < conf->n_ports; i++)
		if (strcmp(conf->ports[i].driver, "ethdev") == 0)
			check_say(c, CHECK_FAULT,
				"port %s: nothing makes the device %s; name it in [eal] vdev or "
				"pci",
				conf->ports[i].name, conf->ports[i].device);
}
