/*
 * Packets at the control socket, of root and of one who may only read, through PID 1's own control_serve(): any bytes, and
 * requests that are well-formed but for what is asked. Clients read their answers now and then, or leave.
 */
#include "fuzz.h"
#include "init/pid1/pid1.h"
#include "tests/sim/units.h"

#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 2u
#define PACKETS_MOST 64
#define N_LOG_PIPE 2u           /* LOG_OUT, LOG_ERR */

static struct pid1 p;
static struct machine m;
static int theirs[CLIENTS];     /* the other ends */

/* ---- in the place of its core and clock ---- */

uint64_t __wrap_now_ms(void);
uint64_t __wrap_now_ms(void)
{
	return m.now_ms;
}

static void pass_on(void *pid1, const struct effect *e)
{
	if (e->kind == FX_REPLY)
		control_reply(pid1, e->client, (enum answer)e->number);
	if (e->kind == FX_NOTE)
		control_note(pid1, &e->note);
}

void __wrap_feed(struct pid1 *pid1, struct event *ev);
void __wrap_feed(struct pid1 *pid1, struct event *ev)
{
	machine_feed(&m, ev);
	pid1->core = m.core;
}

void __wrap_feed_last(struct pid1 *pid1, struct event *ev);
void __wrap_feed_last(struct pid1 *pid1, struct event *ev)
{
	__wrap_feed(pid1, ev);
}

/* ---- the two ---- */

static void begin(void)
{
	static struct unitset units;
	static struct plan plans[2];
	static struct slot slots[2];
	plan_begin(&plans[0], STR("a.service"));
	plan_begin(&plans[1], STR("b.service"));
	plan_link(&plans[1], 0, LINK_BINDS_TO);
	plans[0].unit.flags |= UNIT_WANTED;
	plans[0].n_commands[EXEC_RELOAD] = plans[1].n_commands[EXEC_STOP] = 1;
	if (!units.bytes)
		units = units_build(plans, 2);
	machine_boot(&m, units, MODE_CONTAINER);
	m.watch = pass_on;
	m.watcher = &p;
	p = (struct pid1){ .core = m.core, .units = units, .slots = slots, .n_slots = 2, .epoll = -1, .kmsg = -1, .cgroups = -1, .incidents.for_readers = -1 };
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		p.clients[i].fd = -1;
	for (uint32_t i = 0; i < 2 * N_LOG_PIPE; i++)
		slots[i / N_LOG_PIPE].logs[i % N_LOG_PIPE] = (struct log_pipe){ .fd = STDIN_FILENO, .serial = i };
}

static void connect_client(uint32_t i)
{
	int ends[2];
	if (p.clients[i].fd >= 0)
		return;
	close_fd(&theirs[i]);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	theirs[i] = ends[1];
	p.clients[i] = (struct client){ .fd = ends[0], .uid = i * 1000, .service = NO_UNIT, .serial = p.clients[i].serial };
}

/* Each packet is as long as it says, and of a kind that there is. */
static void read_answers(uint32_t i)
{
	union {
		struct packet head;
		struct unit_packet unit;
		struct end_packet end;
		char bytes[PROTO_PACKET_MAX];
	} packet;
	for (ssize_t n; (n = recv(theirs[i], &packet, sizeof packet, MSG_DONTWAIT)) > 0;) {
		must((size_t)n == packet.head.size && packet.head.kind <= PACKET_END);
		must(packet.head.kind != PACKET_END || packet.end.answer < N_ANSWER);
		must(packet.head.kind != PACKET_UNIT || memchr(packet.unit.unit, '\0', sizeof packet.unit.unit));
	}
}

static struct request request_of(struct input *in)
{
	struct request q = { .magic = PROTO_MAGIC, .version = PROTO_VERSION };
	static const char *const names[] = { "", "a", "b.service", "c" };
	q.verb = (uint8_t)input_below(in, N_VERB + 1);
	q.flags = (uint8_t)input_number(in, 1);
	q.argument = (int32_t)(int8_t)input_number(in, 1);
	strcpy(q.unit, names[q.flags >> 4 & 3]);
	if (q.flags & 128) {
		struct str name = input_text(in);
		memcpy(q.unit, name.p, name.n);
	}
	if (q.verb == N_VERB && q.flags & 1) {
		q.verb = VERB_STATUS;
		memset(q.unit, 'x', sizeof q.unit);     /* a name without an end */
	}
	return q;
}

static void act(struct input *in)
{
	uint32_t what = input_below(in, 256), i = what & 1;
	struct request q;
	struct str bytes;
	connect_client(i);
	switch (what >> 1 & 7) {
	case 0:
		bytes = input_text(in);
		send(theirs[i], bytes.p, bytes.n, MSG_NOSIGNAL);
		break;
	case 1:
		read_answers(i);
		break;
	case 2:
		machine_launch_all(&m);
		break;
	case 3:
		close_fd(&theirs[i]);
		break;
	default:
		q = request_of(in);
		send(theirs[i], &q, sizeof q, MSG_NOSIGNAL);
	}
	m.now_ms += what;
	p.core = m.core;
	control_serve(&p, i);
	control_logs(&p);
	control_expire(&p);
}

static void end(void)
{
	for (uint32_t i = 0; i < CLIENTS; i++) {
		if (theirs[i] >= 0)
			read_answers(i);
		close_fd(&theirs[i]);
		close_fd(&p.clients[i].fd);
	}
	machine_look(&m);
	machine_end(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct input in = { bytes, n };
	begin();
	theirs[0] = theirs[1] = -1;
	for (unsigned packets = 0; in.n && packets < PACKETS_MOST && !m.is_over; packets++)
		act(&in);
	end();
	return 0;
}
