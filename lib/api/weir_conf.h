/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A stack's configuration: what config/<name>.conf says, as values.
 * Model   weir_conf_default() gives usable defaults, weir_conf_load() reads a file over them,
 *         weir_conf_check() judges the whole. A program may as well fill the struct itself.
 * Owner   The caller owns the struct; it holds no pointers, so it can be copied.
 */
#ifndef WEIR_CONF_H
#define WEIR_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_CONF_NAME_MAX    32
#define WEIR_CONF_DEVICE_MAX  64
#define WEIR_CONF_PORTS_MAX   16
#define WEIR_CONF_ADDRS_MAX   8   /* per port */
#define WEIR_CONF_ROUTES_MAX  64
#define WEIR_CONF_NEIGHS_MAX  64
#define WEIR_CONF_WORKERS_MAX 64
#define WEIR_CONF_EAL_MAX     48  /* arguments made for rte_eal_init */
#define WEIR_CONF_TEXT_MAX    256
#define WEIR_CONF_ERR_MAX     512 /* room that err arguments should have */

enum weir_idle {
	WEIR_IDLE_POLL,  /* a worker polls for ever */
	WEIR_IDLE_SLEEP, /* it polls while busy, then sleeps until a packet, timer or call */
};

enum weir_syn_cookies { WEIR_SYN_COOKIES_NO, WEIR_SYN_COOKIES_YES, WEIR_SYN_COOKIES_ALWAYS };

enum weir_ecn {
	WEIR_ECN_NO,
	WEIR_ECN_PASSIVE, /* for connections whose peer asks for it */
	WEIR_ECN_YES,
	WEIR_ECN_ACCURATE, /* RFC 9768, both ways */
	WEIR_ECN_ACCURATE_ACCEPT, /* for connections whose peer asks for it; connect asks as YES */
	WEIR_ECN_ACCURATE_PASSIVE, /* for connections whose peer asks for it */
};

enum weir_ecn_option { WEIR_ECN_OPTION_NO, WEIR_ECN_OPTION_NEEDED, WEIR_ECN_OPTION_ALWAYS };

struct weir_conf_prefix {
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t len;      /* bits of the 16 bytes: 10.0.0.1/24 has 120 */
};

struct weir_conf_port {
	char name[WEIR_CONF_NAME_MAX];     /* [port NAME] */
	char driver[WEIR_CONF_NAME_MAX];   /* driver = ethdev | wire */
	char device[WEIR_CONF_DEVICE_MAX]; /* device = net_tap0 | 0000:01:00.0 | cable end c0:a */
	struct weir_conf_prefix addrs[WEIR_CONF_ADDRS_MAX]; /* address = 10.0.0.1/24, ... */
	unsigned int n_addrs;
	uint16_t mtu;      /* mtu = 1500; 0: the device's */
	uint16_t mss;      /* mss = 1300; 0: by the MTU */
	uint16_t vlan;     /* vlan = 1..4094; 0: untagged */
	uint16_t rx_desc;  /* rx_descriptors, tx_descriptors */
	uint16_t tx_desc;
	bool use_ipv6;     /* ipv6 = yes: link-local address, neighbour discovery */
	bool accept_ra;    /* accept_ra = yes */
	bool use_dad;      /* dad = yes */
	bool promisc;      /* promiscuous = no */
	uint32_t caps_off; /* enum weir_port_cap; offloads_off = rx_checksum, tx_checksum, tso, lro,
			    * rss, multi_seg, vlan */
};

struct weir_conf_route { /* [route N]: net = 0.0.0.0/0, gateway = 10.0.0.254, port = tap0 */
	char name[WEIR_CONF_NAME_MAX]; /* N: any name, for messages only; may be empty */
	struct weir_conf_prefix net;
	uint8_t gateway[16]; /* :: : on link */
	char port[WEIR_CONF_NAME_MAX];
};

struct weir_conf_neigh { /* [neighbour N]: address, mac, port */
	char name[WEIR_CONF_NAME_MAX];
	uint8_t addr[16];
	uint8_t mac[6];
	char port[WEIR_CONF_NAME_MAX];
};

struct weir_conf {
	char name[WEIR_CONF_NAME_MAX]; /* [stack] name: unique in the process */
	char file[WEIR_CONF_TEXT_MAX]; /* where it was read from, for messages; may be empty */

	/* [eal] */
	char lcores[WEIR_CONF_TEXT_MAX]; /* as --lcores; empty: one lcore per worker, see workers */
	uint32_t memory_mb;              /* memory = 512 */
	bool use_hugepages;              /* hugepages = yes | no | auto */
	bool is_hugepages_auto;          /* auto: weir_conf_eal_args() asks the machine */
	char file_prefix[WEIR_CONF_NAME_MAX];
	bool in_memory;                  /* in_memory = yes: nothing left in the file system */
	bool telemetry;                  /* telemetry = yes: weir-stat can connect */
	unsigned int n_vdevs; /* vdev = net_tap0,iface=weir0 (a key per device: vdev0, ..) */
	char vdevs[WEIR_CONF_PORTS_MAX][WEIR_CONF_TEXT_MAX];
	unsigned int n_pci; /* pci = 0000:01:00.0, ... ; none: PCI is not scanned */
	char pci[WEIR_CONF_PORTS_MAX][WEIR_CONF_TEXT_MAX];
	char eal_extra[WEIR_CONF_TEXT_MAX]; /* extra = --log-level=7 ... (split at blanks) */

	/* [workers] */
	unsigned int n_workers; /* count = 1 */
	int cpus[WEIR_CONF_WORKERS_MAX]; /* cpus = 0,1: of each worker; -1: any. Repeats allowed */
	enum weir_idle idle;             /* idle = poll | sleep */
	uint32_t idle_poll_us;           /* how long a worker polls without work before it sleeps */

	/* [pools] */
	uint32_t mbufs;          /* per worker */
	uint32_t lent_mbufs;     /* packets that the application may hold; 0: half of all mbufs */
	uint32_t mbuf_data_room; /* bytes, headroom included */
	uint32_t sockets;        /* of the stack */
	uint32_t connections;    /* TCP connections per worker */
	uint32_t active_connections; /* of them, with data under way at a time; 0: all */
	uint32_t half_open;      /* connections asked for, not yet established; per worker */
	uint32_t time_waits;     /* TCP connections in TIME_WAIT per worker; the oldest make room */
	uint32_t traces;         /* TCP connections per worker whose latest events are kept */

	/* [port NAME], [route N], [neighbour N] */
	unsigned int n_ports;
	struct weir_conf_port ports[WEIR_CONF_PORTS_MAX];
	unsigned int n_routes;
	struct weir_conf_route routes[WEIR_CONF_ROUTES_MAX];
	unsigned int n_neighs;
	struct weir_conf_neigh neighs[WEIR_CONF_NEIGHS_MAX];

	/* [tcp] */
	struct weir_conf_tcp {
		uint32_t sndbuf; /* bytes of memory, what mbufs really hold */
		uint32_t rcvbuf;
		uint32_t sndbuf_max; /* they grow up to this by themselves; 0: not */
		uint32_t rcvbuf_max;
		uint32_t rto_min_ms;
		uint32_t rto_initial_ms;
		uint32_t rto_max_ms;
		uint32_t delayed_ack_ms; /* 0: acknowledge at once */
		uint32_t time_wait_ms;
		uint32_t fin_wait_2_ms;
		uint32_t invalid_ratelimit_ms; /* between ACKs of what is not acceptable */
		enum weir_syn_cookies syn_cookies; /* yes: when the queue is full */
		uint32_t fastopen;      /* bits of Linux's tcp_fastopen */
		char fastopen_key[36];  /* 32 hexadecimal digits; empty: drawn, changed hourly */
		uint32_t fastopen_pause_s; /* when SYNs with data vanish; 0: none */
		uint32_t max_orphans;
		uint32_t orphan_retries;
		uint32_t resets_per_s;
		uint32_t challenges_per_s;
		bool rfc1337;                  /* RST does not end TIME_WAIT */
		bool time_wait_reuse;          /* connect may use a port in TIME_WAIT again */
		uint32_t initial_window;
		int hystart; /* enum weir_tcp_hystart */
		int mtu_probing; /* enum weir_tcp_mtu */
		uint32_t base_mss;
		uint32_t syn_retries;
		uint32_t synack_retries;
		uint32_t data_retries;
		uint32_t keep_idle_s;
		uint32_t keep_interval_s;
		uint32_t keep_count;
		bool window_scale;
		uint32_t window_scale_max;
		bool sack;
		bool timestamps;
		bool idle_restart;
		bool tail_loss_probe;
		bool frto;
		bool dsack;
		uint32_t reordering; /* segments */
		enum weir_ecn ecn; /* ecn = no | passive | yes | accurate ... */
		enum weir_ecn_option ecn_option; /* of accurate ECN */
		uint32_t ecn_beacon; /* options a round trip */
		char congestion[WEIR_CONF_NAME_MAX]; /* cubic | reno | dctcp | bbr */
		bool pacing;
		uint32_t port_min; /* ephemeral_ports = 32768-60999; host byte order */
		uint32_t port_max;
	} tcp;

	/* [udp] */
	uint32_t udp_rcvbuf;
	uint32_t udp_sndbuf;

	uint64_t seed; /* [stack] seed: of all random numbers; 0: from the system */
};

/** Defaults: one worker, no ports. */
void weir_conf_default(struct weir_conf *conf);

/**
 * Read a file over what conf holds. Says nothing yet about the whole: see weir_conf_check().
 * @param conf  unchanged when the file has a mistake
 * @param err   out: one line: file, section, key, value, what is allowed. NULL with err_len 0: none
 * @return 0; -ENOENT and such when the file can't be read, -EINVAL for a mistake in it
 */
int weir_conf_load(struct weir_conf *conf, const char *path, char *err, size_t err_len);

/** Judge a filled struct as a whole (ranges, names that refer to each other). As above. */
int weir_conf_check(const struct weir_conf *conf, char *err, size_t err_len);

/**
 * Set one value as a file would: weir_conf_set(c, "tcp", "sndbuf", "256K", ...). A section with a
 * name ("port tap0") is made where conf has none of it. As above; the message names no file.
 */
int weir_conf_set(struct weir_conf *conf, const char *section, const char *key, const char *value,
	char *err, size_t err_len);

/**
 * The same from one text, as a command line has it: "tcp.sndbuf=256K", "port tap0.mtu=9000".
 * The last dot before the equals sign ends the section.
 */
int weir_conf_set_text(struct weir_conf *conf, const char *text, char *err, size_t err_len);

/**
 * The arguments for rte_eal_init that a configuration asks for. Lcore 0 is the caller's (the
 * control thread), lcores 1..n_workers are the workers'. Reads the affinity mask of the calling
 * thread and, for hugepages = auto, /sys.
 * @param argv  out: pointers into text, ended by NULL; argv[0] is program
 * @return      their number, or -ENOSPC: text or argv is too small
 */
int weir_conf_eal_args(const struct weir_conf *conf, const char *program,
	char *argv[WEIR_CONF_EAL_MAX], char *text, size_t text_len);

/** Every section and key with its default, what is allowed and what it is for. */
void weir_conf_print_keys(FILE *out);

#ifdef __cplusplus
}
#endif

#endif
