/*
 * Type=dbus: up once its BusName= has an owner. As much of the D-Bus specification as it takes to ask the bus for that
 * ("Message Protocol", "Authentication Protocol"): three calls, and any signal is a reason to ask again.
 */
#include "chore.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUS_PATH "/run/dbus/system_bus_socket"
#define AGAIN_MS 200            /* the bus itself may only be starting */
#define MESSAGE_MAX (64u << 10) /* nothing that we ask for, or match, is larger */

enum { METHOD_CALL = 1, METHOD_RETURN, ERROR, SIGNAL };                 /* "Message Types" */
enum { FIELD_PATH = 1, FIELD_INTERFACE, FIELD_MEMBER, FIELD_DESTINATION = 6, FIELD_SIGNATURE = 8 };

struct bus {
	int fd;
	uint32_t serial;
	char out[4096];
	size_t n;
};

/* ---- writing ---- */

static void align(struct bus *b, size_t to)
{
	while (b->n % to)
		b->out[b->n++] = '\0';
}

static void put_u32(struct bus *b, uint32_t v)
{
	align(b, 4);
	for (int shift = 0; shift < 32; shift += 8)
		b->out[b->n++] = (char)(v >> shift);
}

static void put_text(struct bus *b, const char *text)
{
	put_u32(b, (uint32_t)strlen(text));
	memcpy(b->out + b->n, text, strlen(text) + 1);
	b->n += strlen(text) + 1;
}

/* A variant of a type with one letter. */
static void put_field(struct bus *b, int field, char type, const char *text)
{
	align(b, 8);
	b->out[b->n++] = (char)field;
	b->out[b->n++] = 1;
	b->out[b->n++] = type;
	b->out[b->n++] = '\0';
	if (type != 'g') {
		put_text(b, text);
		return;
	}
	b->out[b->n++] = (char)strlen(text);
	memcpy(b->out + b->n, text, strlen(text) + 1);
	b->n += strlen(text) + 1;
}

static void set_u32(struct bus *b, size_t at, uint32_t v)
{
	size_t end = b->n;
	b->n = at;
	put_u32(b, v);
	b->n = end;
}

static bool send_all(int fd, const char *bytes, size_t n)
{
	for (ssize_t done; n > 0; bytes += done, n -= (size_t)done)
		if ((done = send(fd, bytes, n, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

/* A method of the bus itself, with one text to it or none. The room is enough: a bus name has 255 bytes at most. */
static bool call(struct bus *b, const char *member, const char *argument)
{
	static const char head[] = { 'l', METHOD_CALL, 0, 1, 0, 0, 0, 0 };
	memcpy(b->out, head, sizeof head);
	b->n = sizeof head;
	put_u32(b, ++b->serial);
	put_u32(b, 0);                          /* the fields' length, below */
	put_field(b, FIELD_PATH, 'o', "/org/freedesktop/DBus");
	put_field(b, FIELD_INTERFACE, 's', "org.freedesktop.DBus");
	put_field(b, FIELD_MEMBER, 's', member);
	put_field(b, FIELD_DESTINATION, 's', "org.freedesktop.DBus");
	if (argument)
		put_field(b, FIELD_SIGNATURE, 'g', "s");
	set_u32(b, 12, (uint32_t)b->n - 16);
	align(b, 8);
	size_t body = b->n;
	if (argument)
		put_text(b, argument);
	set_u32(b, 4, (uint32_t)(b->n - body));
	return send_all(b->fd, b->out, b->n);
}

/* ---- reading ---- */

static bool read_all(int fd, void *to, size_t n)
{
	char *at = to;
	for (ssize_t got; n > 0; at += got, n -= (size_t)got)
		if ((got = read(fd, at, n)) <= 0)
			return false;
	return true;
}

static uint32_t get_u32(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The type of the next message, 0 when the bus has gone; *value is the answer if it is a boolean, else -1. */
static int next_message(struct bus *b, int *value)
{
	static unsigned char head[16], rest[MESSAGE_MAX];
	if (!read_all(b->fd, head, sizeof head) || head[0] != 'l')
		return 0;                       /* the bus answers in the byte order of who asks */
	uint32_t n_body = get_u32(head + 4), n_fields = get_u32(head + 12);
	if (n_body > MESSAGE_MAX / 2 || n_fields > MESSAGE_MAX / 2 - 8)
		return 0;
	uint32_t n_padded = (n_fields + 7) & ~7u;
	if (!read_all(b->fd, rest, n_padded + n_body))
		return 0;
	/* Of the calls that we make only NameHasOwner is answered by four bytes: Hello gives a name, AddMatch nothing. */
	*value = n_body == 4 ? get_u32(rest + n_padded) != 0 : -1;
	return head[1];
}

/* ---- one connection ---- */

static bool log_in(struct bus *b)
{
	char line[128], who[16];
	size_t n = 0;
	int n_who = snprintf(who, sizeof who, "%u", getuid());
	n += (size_t)snprintf(line, sizeof line, "%cAUTH EXTERNAL ", '\0');
	for (int i = 0; i < n_who; i++)
		n += (size_t)snprintf(line + n, sizeof line - n, "%02x", who[i]);
	n += (size_t)snprintf(line + n, sizeof line - n, "\r\n");
	if (!send_all(b->fd, line, n))
		return false;
	for (n = 0; n < sizeof line && read_all(b->fd, line + n, 1) && line[n] != '\n'; n++)
		;
	return n > 2 && memcmp(line, "OK ", 3) == 0 && send_all(b->fd, "BEGIN\r\n", 7);
}

/* The errno of a refusal; 0: the name has an owner; ENOTCONN: the bus has gone, or is not there yet. */
static int ask(struct bus *b, const char *name)
{
	char match[512];
	int type, value;
	snprintf(match, sizeof match, "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'", name);
	if (!log_in(b) || !call(b, "Hello", NULL) || !call(b, "AddMatch", match) || !call(b, "NameHasOwner", name))
		return ENOTCONN;
	while ((type = next_message(b, &value)) != 0) {
		if (type == METHOD_RETURN && value == 1)
			return 0;
		if (type == ERROR)
			return EACCES;
		if (type == SIGNAL && !call(b, "NameHasOwner", name))
			break;
	}
	return ENOTCONN;
}

int await_bus_name(const struct job *job)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = BUS_PATH };
	for (;;) {
		struct bus b = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
		int error = ENOTCONN;
		if (b.fd >= 0 && connect(b.fd, (struct sockaddr *)&address, sizeof address) == 0)
			error = ask(&b, job->argument);
		if (b.fd >= 0)
			close(b.fd);
		if (error == 0)
			return LEAVE_OK;
		if (error != ENOTCONN) {
			chore_report(job, (struct launch_report){ .kind = REPORT_FAILED, .step = LAUNCH_BUS_NAME, .error = (uint16_t)error });
			return LEAVE_FAILED;
		}
		poll(NULL, 0, AGAIN_MS);
	}
}
