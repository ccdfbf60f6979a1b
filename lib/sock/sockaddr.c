/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket addresses in and out of the one form that the stack uses. */
#include "weir_sock.h"

#include <errno.h>

#define IN6_LEN_OLD offsetof(struct sockaddr_in6, sin6_scope_id) /* RFC 2133: without scope */

socklen_t
weir_sock_addr_out(int domain, const struct weir_addr *addr, struct weir_be16 port, int ifindex,
	struct sockaddr_in6 *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	if (domain == AF_INET) {
		*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port.raw};
		in->sin_addr.s_addr = weir_addr_to_v4(addr).raw;
		return sizeof(*in);
	}
	*out = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port.raw};
	memcpy(&out->sin6_addr, addr->b, 16);
	if (weir_addr_has_scope(addr))
		out->sin6_scope_id = (uint32_t)(ifindex + 1); /* 0: none */
	return sizeof(*out);
}

int
weir_sock_addr_in(int domain, const struct sockaddr *sa, socklen_t len, struct weir_addr *addr,
	struct weir_be16 *port)
{
	const char *const bytes = (const char *)sa;
	struct in6_addr in6;
	struct weir_be32 in;

	if (sa == NULL)
		return -EFAULT;
	if (len < sizeof(sa->sa_family))
		return -EINVAL;
	if (sa->sa_family != domain)
		return -EAFNOSUPPORT;
	if (domain == AF_INET) {
		if (len < sizeof(struct sockaddr_in))
			return -EINVAL;
		memcpy(&in, bytes + offsetof(struct sockaddr_in, sin_addr), sizeof(in));
		memcpy(port, bytes + offsetof(struct sockaddr_in, sin_port), sizeof(*port));
		*addr = weir_addr_v4(in);
		return 0;
	}
	if (len < IN6_LEN_OLD)
		return -EINVAL;
	memcpy(&in6, bytes + offsetof(struct sockaddr_in6, sin6_addr), sizeof(in6));
	memcpy(port, bytes + offsetof(struct sockaddr_in6, sin6_port), sizeof(*port));
	*addr = weir_addr_v6(in6.s6_addr);
	return 0;
}

int
weir_sock_scope_in(
	int domain, const struct sockaddr *sa, socklen_t len, const struct weir_addr *addr)
{
	struct sockaddr_in6 in6;

	if (domain == AF_INET || len < sizeof(in6) || !weir_addr_has_scope(addr))
		return -1;
	memcpy(&in6, sa, sizeof(in6));
	return in6.sin6_scope_id > INT16_MAX ? INT16_MAX : (int)in6.sin6_scope_id - 1;
}
