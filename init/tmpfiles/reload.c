/*
 * The units in force were read before there were these users, and User= is looked up as a unit is read. Every other unit waits
 * for this process to end (builtin.c of oomph-load), so that it is time to have them read again.
 */
#include "tmpfiles.h"
#include "lib/proto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 30                   /* reading some thousand units on a slow disk */

static struct stat before[2];

static void look(struct stat *at)
{
	static const char *const paths[] = { "/etc/passwd", "/etc/group" };
	for (size_t i = 0; i < countof(paths); i++)
		if (stat(paths[i], &at[i]) < 0)
			memset(&at[i], 0, sizeof at[i]);
}

void users_remember(void)
{
	look(before);
}

static bool have_changed(void)
{
	struct stat now[countof(before)];
	look(now);
	for (size_t i = 0; i < countof(before); i++)
		if (now[i].st_ino != before[i].st_ino || now[i].st_size != before[i].st_size ||
		    now[i].st_mtim.tv_sec != before[i].st_mtim.tv_sec || now[i].st_mtim.tv_nsec != before[i].st_mtim.tv_nsec)
			return true;
	return false;
}

static bool ask(int s)
{
	struct request request = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_RELOAD };
	struct end_packet end;
	return send(s, &request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request &&
	       recv(s, &end, sizeof end, 0) == (ssize_t)sizeof end && end.head.kind == PACKET_END && end.answer == ANSWER_OK;
}

void users_tell(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	const char *wish = getenv("OOMPH_SOCKET"), *path = wish ? wish : "/run/oomph/control";
	size_t n = strlen(path);
	if (*root || !have_changed() || n >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path, n);
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	errno = 0;
	if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) < 0 || !ask(s))
		tell(NULL, "there are new users, but the units could not be read again: %s", errno ? strerror(errno) : "refused");
	close(s);
}
