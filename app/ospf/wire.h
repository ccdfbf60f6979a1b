/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The Hello packet of OSPFv2 (RFC 2328 A.3.1, A.3.2): bytes to values and back.
 * Model   Pure functions. Addresses and identifiers are in network order, as inet_pton() makes
 *         them; numbers in the host's.
 */
#ifndef APP_OSPF_WIRE_H
#define APP_OSPF_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define OSPF_HELLO_HLEN	   44 /* without neighbours */
#define OSPF_NEIGHBORS_MAX 64
#define OSPF_HELLO_MAX	   (OSPF_HELLO_HLEN + 4 * OSPF_NEIGHBORS_MAX)
#define OSPF_OPTION_E	   0x02 /* the area is no stub: both ends must say the same */

struct ospf_hello {
	uint32_t router_id;
	uint32_t area;
	uint32_t mask;
	uint32_t dr; /* designated router, and its backup: their addresses, 0: none */
	uint32_t bdr;
	uint32_t dead_s;
	uint16_t hello_s;
	uint8_t options;
	uint8_t priority; /* 0: not to be a designated router */
	uint32_t n;
	uint32_t neighbors[OSPF_NEIGHBORS_MAX]; /* whom the sender has heard */
};

/** @param buf  OSPF_HELLO_MAX bytes. @return bytes of it used */
size_t ospf_hello_build(const struct ospf_hello *h, uint8_t *buf);

/**
 * Neighbours beyond OSPF_NEIGHBORS_MAX are passed over, and so is what follows the packet.
 * @return 0; -EPROTONOSUPPORT: not a Hello of version 2 without authentication; -EBADMSG: cut off,
 *         wrong length or checksum
 */
int ospf_hello_parse(struct ospf_hello *h, const uint8_t *buf, size_t len);

#endif
