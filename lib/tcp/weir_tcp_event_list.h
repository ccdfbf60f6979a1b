/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a trace tells: WEIR_TCP_EVENT(kind, name, aux, a, b), the last three the names of its
 * numbers, NULL where there is none. One that begins with @ is an enum weir_tcp_state, # an enum
 * weir_tcp_ca, ! an enum weir_fate, = an errno. No include guard: included several times.
 */
WEIR_TCP_EVENT(STATE, "state", "@", "una", "rcv_nxt")
WEIR_TCP_EVENT(RECOVERY, "recovery", "#", "cwnd", "ssthresh")
WEIR_TCP_EVENT(UNDO, "undo", NULL, "cwnd", "ssthresh")
WEIR_TCP_EVENT(RESTART, "idle_restart", NULL, "cwnd", "idle_ms")
WEIR_TCP_EVENT(RTO, "rto", "retries", "una", "rto_us")
WEIR_TCP_EVENT(LOSS_PROBE, "loss_probe", "is_repetition", "una", "sent")
WEIR_TCP_EVENT(REXMIT, "retransmit", "segs", "seq", "len")
WEIR_TCP_EVENT(SACK, "sack", "times", "sacked_segs", "highest")
WEIR_TCP_EVENT(DUP_ACK, "duplicate_ack", "times", "una", "cwnd")
WEIR_TCP_EVENT(RENEGED, "sack_reneged", NULL, "una", "sent")
WEIR_TCP_EVENT(ECE, "congestion_echo", "times", "una", "cwnd")
WEIR_TCP_EVENT(CE, "congestion_mark", "times", "rcv_nxt", NULL)
WEIR_TCP_EVENT(WND_CLOSED, "peer_window_closed", NULL, "una", "queued")
WEIR_TCP_EVENT(WND_OPENED, "peer_window_opened", NULL, "una", "window")
WEIR_TCP_EVENT(WND_PROBE, "window_probe", "backoff", "una", "next_us")
WEIR_TCP_EVENT(OUR_WND_CLOSED, "our_window_closed", NULL, "rcv_nxt", "held")
WEIR_TCP_EVENT(OOO, "out_of_order", "times", "seq", "len")
WEIR_TCP_EVENT(DROP, "drop", "!", "seq", "len")
WEIR_TCP_EVENT(KEEP_PROBE, "keepalive_probe", "probe", "idle_ms", NULL)
WEIR_TCP_EVENT(ICMP, "icmp_error", "=", "seq", "mtu")
WEIR_TCP_EVENT(MSS, "segment_size", NULL, "mss", "pmtu")
WEIR_TCP_EVENT(NO_MBUF, "no_mbuf", "times", "una", "sent")
WEIR_TCP_EVENT(END, "end", "=", "una", "rcv_nxt")
