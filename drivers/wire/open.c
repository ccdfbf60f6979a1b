/* SPDX-License-Identifier: BSD-3-Clause */
/* Ends of cables by name: "NAME:a,loss=1%,delay=10ms". */
#include "weir_cable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_kvargs.h>

#include "cable_priv.h"

#define DEVICE_MAX 256

/* What the device string says. */
struct device {
	char name[WEIR_CABLE_NAME_LEN];
	unsigned int end;
	struct weir_cable_conf conf; /* for a cable that is made now */
	struct weir_impair impair;   /* of what this end sends */
	bool has_impair;
	char *err;
	size_t err_len;
};

static bool
read_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *value <= max;
}

/* A parameter of the cable itself. @return 1 when key is not one, else 0 or -EINVAL */
static int
cable_param(struct device *d, const char *key, const char *value)
{
	const bool is_queues = strcmp(key, "queues") == 0;
	const bool is_depth = strcmp(key, "depth") == 0;
	const bool is_seed = strcmp(key, "seed") == 0;
	const bool is_lro = strcmp(key, "lro") == 0;
	const uint64_t max = is_queues	? WEIR_PORT_QUEUES_MAX
			     : is_depth ? 1 << 20
			     : is_lro	? 1
					: UINT64_MAX;
	uint64_t number;

	if (!is_queues && !is_depth && !is_seed && !is_lro)
		return 1;
	if (!read_number(value, max, &number)) {
		snprintf(d->err, d->err_len, "%s = %s: allowed is 0 to %llu", key, value,
			(unsigned long long)max);
		return -EINVAL;
	}
	if (is_queues)
		d->conf.queues = (uint16_t)number;
	else if (is_depth)
		d->conf.queue_depth = (uint32_t)number;
	else if (is_lro)
		d->conf.lro = number != 0;
	else
		d->conf.seed = number;
	return 0;
}

static int
on_param(const char *key, const char *value, void *arg)
{
	struct device *d = arg;
	int r = cable_param(d, key, value == NULL ? "" : value);

	if (r != 1)
		return r;
	d->has_impair = true;
	return weir_impair_parse(&d->impair, key, value, d->err, d->err_len);
}

static int
read_params(struct device *d, const char *params)
{
	struct rte_kvargs *kv = rte_kvargs_parse(params, NULL);
	int r;

	if (kv == NULL) {
		snprintf(d->err, d->err_len, "parameters are KEY=VALUE,...");
		return -EINVAL;
	}
	r = rte_kvargs_process(kv, NULL, on_param, d);
	rte_kvargs_free(kv);
	return r == 0 ? 0 : -EINVAL;
}

static int
read_device(struct device *d, const char *text)
{
	const char *colon = strchr(text, ':');
	const size_t len = colon == NULL ? 0 : (size_t)(colon - text);
	const char *end = colon == NULL ? "" : colon + 1;

	if (len == 0 || len >= WEIR_CABLE_NAME_LEN || end[0] == '\0' ||
		strchr("ab01", end[0]) == NULL || (end[1] != '\0' && end[1] != ',')) {
		snprintf(d->err, d->err_len,
			"device = %s: allowed is NAME:a or NAME:b, the name 1 to %d characters",
			text, WEIR_CABLE_NAME_LEN - 1);
		return -EINVAL;
	}
	memcpy(d->name, text, len);
	d->end = end[0] == 'b' || end[0] == '1';
	return end[1] == '\0' ? 0 : read_params(d, end + 2);
}

/* The named cable, made now if there is none, with both ends stopped. */
static int
find_or_make(struct device *d, struct weir_cable **cable)
{
	int r = 0;

	*cable = weir_cable_find(d->name);
	if (*cable == NULL) {
		r = weir_cable_new(d->name, &d->conf, NULL, cable);
		if (r == 0) {
			(*cable)->is_named = true;
			(*cable)->end[0].is_started = false;
			(*cable)->end[1].is_started = false;
			cable_update_link(*cable);
		}
	}
	if (r != 0)
		snprintf(d->err, d->err_len, "cable %s: %s", d->name, strerror(-r));
	return r;
}

/* Fit an end to what the configuration wants. */
static int
fit_end(struct cable_end *e, const struct weir_port_conf *conf, char *err, size_t err_len)
{
	struct weir_port_info *info = &e->port.info;
	uint16_t queues = conf->n_queues;
	int r;

	if (conf->mtu != 0 && (conf->mtu < RTE_ETHER_MIN_MTU || conf->mtu > info->mtu_max)) {
		snprintf(err, err_len, "mtu = %u: allowed is %u to %u", conf->mtu,
			RTE_ETHER_MIN_MTU, info->mtu_max);
		return -EINVAL;
	}
	if (e->cable->conf.queues != 0)
		queues = RTE_MIN(queues, e->cable->conf.queues);
	r = cable_end_setup(e, queues, conf->rx_intr);
	if (r != 0) {
		snprintf(err, err_len, "%u queues: %s", queues, strerror(-r));
		return r;
	}
	if (queues < conf->n_queues)
		info->caps &= ~(uint32_t)WEIR_PORT_RSS; /* software must spread to all workers */
	info->caps &= ~conf->caps_off;
	if (!(info->caps & WEIR_PORT_TX_TCP_CKSUM) || !(info->caps & WEIR_PORT_TX_IP4_CKSUM))
		info->caps &= ~(uint32_t)WEIR_PORT_TX_TSO;
	if (conf->mtu != 0)
		info->mtu = conf->mtu;
	snprintf(info->name, sizeof(info->name), "%s", conf->name);
	return 0;
}

static int
cable_open(const struct weir_port_conf *conf, struct weir_port **port, char *err, size_t err_len)
{
	struct device d = {.err = err, .err_len = err_len};
	struct weir_cable *cable;
	struct cable_end *e;
	int r;

	if (conf->n_queues == 0 || conf->n_queues > WEIR_PORT_QUEUES_MAX) {
		snprintf(err, err_len, "%u queues: allowed is 1 to %d", conf->n_queues,
			WEIR_PORT_QUEUES_MAX);
		return -EINVAL;
	}
	if ((r = read_device(&d, conf->device)) != 0 || (r = find_or_make(&d, &cable)) != 0)
		return r;
	e = &cable->end[d.end];
	if (e->is_open) {
		snprintf(err, err_len, "device = %s: this end is open already", conf->device);
		return -EBUSY;
	}
	e->is_started = false;
	cable_update_link(cable);
	r = fit_end(e, conf, err, err_len);
	if (r != 0) {
		cable_port_ops.close(&e->port);
		return r;
	}
	if (d.has_impair)
		weir_cable_set(cable, d.end, &d.impair);
	e->is_open = true;
	*port = &e->port;
	return 0;
}

const struct weir_driver weir_cable_driver = {.name = "wire", .open = cable_open};
