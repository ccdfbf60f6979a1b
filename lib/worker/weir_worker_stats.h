/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of a worker's loop: WEIR_STAT(name, unit, help). No include guard: included several
 * times. */
WEIR_STAT(turns, "turns", "turns of the loop")
WEIR_STAT(busy_turns, "turns", "turns that found something to do")
WEIR_STAT(sleeps, "events", "sleeps while there was nothing to do")
WEIR_STAT(busy_tsc, "cycles", "TSC cycles spent in turns that found something to do")
WEIR_STAT(calls, "events", "calls of other threads run")
