/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP echo on port 7 by epoll, level-triggered; a timer of the kernel in the same set. */
#include <errno.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <weir.h>

struct server {
	struct weir_stack *st;
	int epoll;
	int listener;
	int timer; /* as the set knows it */
	unsigned int clients;
};

static void
watch(struct server *s, int op, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	weir_epoll_ctl(s->st, s->epoll, op, fd, &ev);
}

static void
accept_client(struct server *s)
{
	const int fd = weir_accept(s->st, s->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	s->clients++;
	watch(s, EPOLL_CTL_ADD, fd, EPOLLIN);
}

/* What cannot be sent stays where it is, and what is waited for is room instead of data. */
static void
echo(struct server *s, int fd)
{
	char buf[16384];
	const ssize_t n = weir_recv(s->st, fd, buf, sizeof(buf), MSG_PEEK);
	const ssize_t sent = n > 0 ? weir_send(s->st, fd, buf, (size_t)n, 0) : n;

	if (sent > 0)
		weir_recv(s->st, fd, buf, (size_t)sent, 0);
	if (sent > 0 || sent == -EAGAIN) {
		watch(s, EPOLL_CTL_MOD, fd, sent < n ? EPOLLOUT : EPOLLIN);
	} else {
		weir_close(s->st, fd); /* which takes it out of the set */
		s->clients--;
	}
}

static void
tick(const struct server *s, int timer)
{
	uint64_t ticks;

	if (read(timer, &ticks, sizeof(ticks)) > 0)
		printf("%u clients\n", s->clients);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7)};
	const struct itimerspec second = {{.tv_sec = 1}, {.tv_sec = 1}};
	const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct server s = {.timer = WEIR_KFD(timer)};
	struct epoll_event ev[64];

	if (argc != 2 || weir_init(argv[1], &s.st) != 0)
		return 1;
	timerfd_settime(timer, 0, &second, NULL);
	s.epoll = weir_epoll_create(s.st, 0);
	s.listener = weir_socket(s.st, AF_INET, SOCK_STREAM, 0);
	if (weir_bind(s.st, s.listener, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
		weir_listen(s.st, s.listener, 128) != 0)
		return 1;
	watch(&s, EPOLL_CTL_ADD, s.listener, EPOLLIN);
	watch(&s, EPOLL_CTL_ADD, s.timer, EPOLLIN);
	puts("epoll_level: ready");
	fflush(stdout);
	for (;;) {
		const int n = weir_epoll_wait(s.st, s.epoll, ev, 64, -1);

		for (int i = 0; i < n; i++)
			if (ev[i].data.fd == s.timer)
				tick(&s, timer);
			else if (ev[i].data.fd == s.listener)
				accept_client(&s);
			else
				echo(&s, ev[i].data.fd);
	}
}
