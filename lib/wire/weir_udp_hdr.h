/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The UDP header as it stands on the wire (RFC 768).
 */
#ifndef WEIR_UDP_HDR_H
#define WEIR_UDP_HDR_H

#include "weir_be.h"

struct weir_udp_hdr {
	struct weir_be16 src;
	struct weir_be16 dst;
	struct weir_be16 len;   /* header and data, bytes */
	struct weir_be16 cksum; /* 0: none */
} __attribute__((packed));

#endif
