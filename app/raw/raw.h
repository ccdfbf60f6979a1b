/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the programs on raw sockets share: ICMP messages of both IP versions, the time, signals.
 * Model   One thread, the main one, sends and waits with weir_poll(). Addresses are numbers: there
 *         is no resolver.
 */
#ifndef APP_RAW_H
#define APP_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/app.h"

#define RAW_TEXT_MAX 64 /* of an address */
#define RAW_LEN_MAX 65536
#define RAW_ICMP_HLEN 8

struct raw_host {
	int domain;
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} addr;
	char text[RAW_TEXT_MAX];
};

/** An ICMP message, or one that tells of a packet of ours. */
struct raw_icmp {
	struct raw_host from;
	uint8_t type;
	uint8_t code;
	int ttl;     /* it came with; -1: unknown */
	uint16_t id; /* of an echo, or of that in the packet told of */
	uint16_t seq;
	uint8_t proto; /* an error: of the packet told of; else 0 */
	uint16_t port; /* an error about UDP: where that went to */
	struct raw_host about; /* an error: whom it was sent to */
	const uint8_t *data;   /* of an echo */
	uint32_t mtu;          /* RAW_TOO_LONG: what the path takes */
	size_t len;
};

enum raw_kind {
	RAW_OTHER,
	RAW_ECHO_REPLY,
	RAW_UNREACHABLE,
	RAW_TIME_EXCEEDED,
	RAW_ERROR,
	RAW_TOO_LONG, /* no message: a packet did not leave; with IP_RECVERR */
};

/** @return 0, or -EINVAL, said on stderr */
int raw_host_parse(struct raw_host *h, const char *text);

bool raw_host_eq(const struct raw_host *a, const struct raw_host *b);

/** A raw socket for ICMP or ICMPv6. @return descriptor, or a negative errno, said on stderr */
int raw_icmp_open(struct weir_stack *st, int domain);

/** @param buf  RAW_ICMP_HLEN bytes of room, then the data: len bytes in all */
ssize_t raw_echo_send(struct weir_stack *st, int fd, const struct raw_host *to, uint8_t *buf,
	size_t len, uint16_t id, uint16_t seq);

/**
 * Wait for a message until end_us.
 * @param buf  RAW_LEN_MAX bytes; m->data points into it
 * @return RAW_OTHER when there is none: in time, or as the program is to end
 */
enum raw_kind raw_icmp_wait(struct weir_stack *st, int fd, int domain, uint64_t end_us,
	uint8_t *buf, struct raw_icmp *m);

/** Wait for something to receive. @return false: nothing until end_us, or a signal has come */
bool raw_wait(struct weir_stack *st, int fd, uint64_t end_us);

/** Take a message that is there. @return RAW_OTHER: none, or one that is none of these */
enum raw_kind raw_icmp_take(
	struct weir_stack *st, int fd, int domain, uint8_t *buf, struct raw_icmp *m);

/** What an error says. */
const char *raw_icmp_text(int domain, const struct raw_icmp *m);

/** Ask until the host answers, at most so long: a link may take its time to come up. */
bool raw_wait_up(
	struct weir_stack *st, int fd, const struct raw_host *to, unsigned int seconds);

/** Set an option that has a name for each version. @return 0, or negative errno, said on stderr */
int raw_set(struct weir_stack *st, int fd, int domain, int name4, int name6, int value);

uint64_t raw_now_us(void);

/** Whether SIGINT or SIGTERM has come. */
bool raw_must_end(void);

#endif
