/*
 * oomph-net: brings network links up. A process of its own because libnl allocates, and PID 1 does not.
 *
 *     oomph-net [LINK...]        default: lo
 *
 * Exits 0 when all of them are up, 1 with one line on stderr for each that is not.
 */
#include <net/if.h>
#include <stdio.h>

#include <netlink/netlink.h>
#include <netlink/route/link.h>

/* Sets IFF_UP and leaves every other flag and attribute as it is: 0, or libnl's negative error. */
static int raise_link(struct nl_sock *sock, const char *name)
{
	struct rtnl_link *link = NULL, *change = rtnl_link_alloc();
	int r = change ? rtnl_link_get_kernel(sock, 0, name, &link) : -NLE_NOMEM;

	if (r == 0 && !(rtnl_link_get_flags(link) & IFF_UP)) {
		rtnl_link_set_flags(change, IFF_UP);
		r = rtnl_link_change(sock, link, change, 0);
	}
	rtnl_link_put(link);
	rtnl_link_put(change);
	return r;
}

static int raise_links(struct nl_sock *sock, const char *const *names)
{
	int status = 0;

	for (; *names; names++) {
		int r = raise_link(sock, *names);

		if (r == 0)
			continue;
		fprintf(stderr, "oomph-net: cannot bring up %s: %s\n", *names, nl_geterror(r));
		status = 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	static const char *const loopback[] = { "lo", NULL };
	struct nl_sock *sock = nl_socket_alloc();
	int r = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
	int status = 1;

	if (r < 0)
		fprintf(stderr, "oomph-net: no netlink socket: %s\n", nl_geterror(r));
	else
		status = raise_links(sock, argc > 1 ? (const char *const *)argv + 1 : loopback);
	nl_socket_free(sock);
	return status;
}
