/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Big-endian wire fields as structs, so that a forgotten conversion does not compile.
 */
#ifndef WEIR_BE_H
#define WEIR_BE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>

struct weir_be16 {
	uint16_t raw;
} __attribute__((packed));

struct weir_be32 {
	uint32_t raw;
} __attribute__((packed));

static inline struct weir_be16
weir_be16(uint16_t host)
{
	return (struct weir_be16){rte_cpu_to_be_16(host)};
}

static inline struct weir_be32
weir_be32(uint32_t host)
{
	return (struct weir_be32){rte_cpu_to_be_32(host)};
}

static inline uint16_t
weir_host16(struct weir_be16 be)
{
	return rte_be_to_cpu_16(be.raw);
}

static inline uint32_t
weir_host32(struct weir_be32 be)
{
	return rte_be_to_cpu_32(be.raw);
}

#endif
