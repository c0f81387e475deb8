#include "logtarget.h"

#define PORT 514u
#define HOST_MAX 253u           /* of a domain name, RFC 1035 */
#define SOCKET_PATH_MAX 107u    /* sun_path without its NUL, unix(7) */

static const char *take_port(struct str text, struct logtarget *to)
{
	uint64_t port = PORT;
	if (text.n && (!str_take(&text, STR(":")) || !str_u64(text, &port) || port == 0 || port > UINT16_MAX))
		return "expected a port, 1 to 65535, behind the host";
	to->port = (uint16_t)port;
	return NULL;
}

static const char *take_host(struct str text, struct logtarget *to)
{
	bool is_bracketed = str_take(&text, STR("["));
	to->host = text;
	to->host.n = str_chr(text, is_bracketed ? ']' : ':');
	if (to->host.n == 0 || to->host.n > HOST_MAX || str_chr(to->host, ' ') < to->host.n || (is_bracketed && to->host.n == text.n))
		return "expected a host";
	text = str_skip(text, to->host.n + is_bracketed);
	if (!is_bracketed && str_rfind(text, STR(":")) < text.n && str_rfind(text, STR(":")) > 0)
		return "an IPv6 address has to be in []";
	return take_port(text, to);
}

const char *logtarget_syslog(struct str text, struct logtarget *to)
{
	*to = (struct logtarget){ .kind = TARGET_UDP };
	if (str_take(&text, STR("tcp:")))
		to->kind = TARGET_TCP;
	else if (!str_take(&text, STR("udp:")))
		return "expected udp:HOST:PORT or tcp:HOST:PORT";
	return take_host(text, to);
}

const char *logtarget_json(struct str text, struct logtarget *to)
{
	*to = (struct logtarget){ .kind = TARGET_FIFO };
	if (str_take(&text, STR("unix:")))
		to->kind = TARGET_UNIX;
	if (!str_starts(text, STR("/")))
		return "expected the path of a FIFO, or unix:PATH of a socket";
	if (text.n > SOCKET_PATH_MAX)
		return "the path has more than 107 bytes";
	to->path = text;
	return NULL;
}
