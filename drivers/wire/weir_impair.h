/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A line that spoils what passes: loses, duplicates, corrupts, delays, reorders, limits the rate.
 * Model   One direction. A frame pushed meets, in this order: loss, corruption, duplication, the
 *         rate with its bounded queue, delay and jitter, reordering. What survives waits in a heap
 *         by due time, then by order of arrival, and is pulled when its time has come. All
 *         dice are rolled from the seed: same seed, same calls, same frames.
 * Owner   Pushed mbufs belong to the line, pulled ones to the caller. Shared data is never written:
 *         a frame is copied before it is corrupted, duplicates share its data.
 * Thread  One at a time: the caller locks where several use a line.
 * Memory  Everything is reserved at the start; a full line drops.
 */
#ifndef WEIR_IMPAIR_H
#define WEIR_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define WEIR_PPM 1000000 /* certainty */

/** What happens to frames. All zero: nothing. Probabilities in parts per million per frame. */
struct weir_impair {
	uint32_t loss_ppm;
	/* Bursts (Gilbert-Elliott): a bad state with its own loss, entered and left by chance. */
	uint32_t burst_enter_ppm;
	uint32_t burst_leave_ppm;
	uint32_t burst_loss_ppm;
	uint32_t dup_ppm;
	uint32_t corrupt_ppm;
	uint32_t corrupt_bits; /* neighbouring bits flipped at a random place; 0: one */
	uint32_t reorder_ppm;  /* a frame waits until reorder_pkts later ones are ahead of it, */
	uint32_t reorder_pkts; /* 0: one, */
	uint32_t reorder_us;   /* but no longer than this; 0: 1000 */
	uint32_t delay_us;
	uint32_t jitter_us;   /* uniform in delay_us +- jitter_us, not below 0: may overtake */
	uint64_t rate_bps;    /* bits of frames per second; 0: no limit */
	uint32_t queue_bytes; /* frames that wait for the rate, the rest is dropped; 0: 262144 */
};

struct weir_line_stats {
	uint64_t pushed;
	uint64_t pulled;
	uint64_t lost;
	uint64_t duplicated;
	uint64_t corrupted;
	uint64_t reordered;    /* pulled after a frame that was pushed later */
	uint64_t dropped_full; /* queue_bytes or the line's room exceeded */
	uint64_t copy_failed;  /* passed intact for want of an mbuf */
	uint64_t held;         /* now; pushed + duplicated = pulled + lost + dropped_full + held */
};

struct weir_line;

/**
 * A line with room for pkts frames (0: 16384).
 * @return 0 or -ENOMEM
 */
int weir_line_new(const struct weir_impair *impair, uint64_t seed, uint32_t pkts, int numa_node,
	struct weir_line **line);

/** Free it and what it holds. NULL is allowed. */
void weir_line_free(struct weir_line *line);

/** From now on; what is on its way keeps its time. */
void weir_line_set(struct weir_line *line, const struct weir_impair *impair);

/** Takes m, whatever happens. now_us never goes back. */
void weir_line_push(struct weir_line *line, struct rte_mbuf *m, uint64_t now_us);

/** Up to n frames that are due, in order. @return how many */
unsigned int weir_line_pull(
	struct weir_line *line, uint64_t now_us, struct rte_mbuf **m, unsigned int n);

/** When the next frame is due if none is pushed before; UINT64_MAX when the line is empty. */
uint64_t weir_line_next_us(const struct weir_line *line);

void weir_line_stats(const struct weir_line *line, struct weir_line_stats *stats);

/** Does it change anything? */
bool weir_impair_is_clean(const struct weir_impair *impair);

/**
 * Set one field from text, for configurations and command lines.
 *   loss dup corrupt reorder   probability: "0.01" or "1%"
 *   burst                      "ENTER:LEAVE" or "ENTER:LEAVE:LOSS", probabilities; LOSS: 100%
 *   corrupt_bits reorder_pkts  number
 *   delay jitter reorder_time  time: "10ms", "100us", "1s", or a number of microseconds
 *   delay_us jitter_us         the same
 *   rate                       bits a second: "100Mbit", "1.5Gbit", "64kbit", or a number
 *   queue                      bytes: "64k", "1M", or a number
 * @return 0; -ENOENT for an unknown key; -EINVAL for a bad value, with what is allowed in err
 */
int weir_impair_parse(struct weir_impair *impair, const char *key, const char *value, char *err,
	size_t err_len);

#endif
