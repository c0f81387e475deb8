/*
 * The control socket's language: SOCK_SEQPACKET, so a packet is a message; fixed layouts, so there is nothing to parse.
 *
 * A client sends one `struct request` at a time. The answer is any number of packets that begin with a `struct packet`
 * and ends with one PACKET_END. With REQUEST_FOLLOW, PACKET_NOTE and PACKET_DEATH go on coming until the client leaves.
 * A request of the wrong size, magic or version costs its sender the connection; so does not reading for SLOW_READER_MS.
 *
 * Both ends are one build's: a client of another version is told so (PACKET_END with ANSWER_BAD_REQUEST) and asked to go. But oomph-log
 * outlives an upgrade: kinds, verbs and answers are appended, and what it takes (PACKET_LOG, PACKET_DEATH, PACKET_END) stays as it is.
 */
#ifndef OOMPH_PROTO_H
#define OOMPH_PROTO_H

#include "core.h"
#include "crash.h"
#include "logline.h"

#define PROTO_MAGIC 0x504d4f4fu         /* "OOMP" */
#define PROTO_VERSION 1u
#define PROTO_PACKET_MAX 4096           /* no packet is larger */
#define SLOW_READER_MS 5000u

enum request_flags {
	REQUEST_FOLLOW = 1 << 0,        /* DEATHS, EVENTS, LOGS: and then whatever comes */
};

struct request {
	uint32_t magic, version;
	uint8_t verb;                   /* enum verb */
	uint8_t flags;                  /* enum request_flags */
	uint8_t status;                 /* VERB_POWER with POWER_EXIT: the exit status */
	uint8_t zero;
	int32_t argument;               /* VERB_KILL: signal. VERB_POWER: enum power */
	char unit[UNIT_NAME_MAX + 1];   /* NUL-terminated; "" where the verb goes without or means all */
};

enum packet_kind { PACKET_UNIT, PACKET_TEXT, PACKET_DEATH, PACKET_NOTE, PACKET_VERSION, PACKET_INCIDENTS, PACKET_LOG, PACKET_END, PACKET_CRASH };

struct packet {
	uint32_t kind;                  /* enum packet_kind */
	uint32_t size;                  /* of the whole packet */
};

/* A service as it stands. Durations are as of now, so that two clocks never meet. */
struct unit_packet {
	struct packet head;
	uint64_t since_ms;              /* in this state */
	uint64_t uptime_ms;             /* of the main process; 0 without one */
	uint64_t last_death;            /* id; 0: none */
	uint64_t knobs[N_CGROUP_KNOB];
	uint32_t next_start_ms;         /* FOREVER_MS: none is due */
	uint32_t main_pid, control_pid;
	uint32_t generation, n_restarts, n_oom_kills;
	uint32_t n_crashes;             /* of PID 1, over events about it */
	int32_t oom_score_adj;          /* as the unit says */
	uint8_t state, step, want, result;
	uint8_t type, restart, oom_policy, is_helper;
	uint8_t has_warning, warned_step, warned_error;
	uint8_t has_cgroup;
	char unit[UNIT_NAME_MAX + 1];
	char description[128];          /* cut */
	char file[256];                 /* cut */
	char status_text[STATUS_TEXT_MAX];
	char unmet[256];                /* the condition that was not met at the last start, cut */
	char cgroup[KMSG_PATH_MAX];     /* below /sys/fs/cgroup, as the kernel writes it */
};

/* A line for a person: what oomph-load had to say of a unit. Follows its PACKET_UNIT in the answer to VERB_STATUS. */
struct text_packet {
	struct packet head;
	char text[512];                 /* NUL-terminated, cut */
};

struct death_packet {
	struct packet head;
	struct death death;
};

struct note_packet {
	struct packet head;
	struct note note;
};

struct version_packet {
	struct packet head;
	uint32_t proto_version, n_services;
	uint64_t uptime_ms;             /* of PID 1 */
	uint64_t n_kmsg_lost;
	uint32_t n_bugs;
	uint32_t n_crashes;             /* that it came back from */
	uint8_t build[BUILD_ID_SIZE];
	uint8_t mode, phase;            /* enum system_mode, enum system_phase */
	bool reaps_only;                /* it crashed too often */
	uint8_t has_kmsg, has_cgroup;
	char version[32];
};

/* With a descriptor of the ring (incident.h), to read, by SCM_RIGHTS (unix(7)). None comes where none is kept. */
struct incidents_packet {
	struct packet head;
};

/*
 * What a service writes, and how it is to be kept: one packet for each stream of each service, with the pipe by SCM_RIGHTS. It is
 * open for both directions and PID 1 keeps it as well, so it never ends while the unit is there, whoever dies. For root alone.
 * Who follows is told again of a stream, with the same pipe, when its settings have changed.
 */
struct log_packet {
	struct packet head;
	uint32_t rate_ms, rate_burst;   /* LogRateLimitIntervalSec=, LogRateLimitBurst=; 0: no limit */
	uint8_t stream;                 /* LOG_OUT, LOG_ERR */
	uint8_t level;                  /* SyslogLevel=: the priority of a line that does not tell one */
	uint8_t level_max;              /* LogLevelMax= */
	uint8_t has_prefix;             /* SyslogLevelPrefix= */
	uint8_t copies;                 /* enum log_copies */
	uint8_t zero[3];
	char token[LOG_TOKEN_SIZE];     /* of the markers in it */
	char unit[UNIT_NAME_MAX + 1];
	char identifier[UNIT_NAME_MAX + 1];     /* SyslogIdentifier=; "": none */
};

struct crash_packet {
	struct packet head;
	struct crash crash;
};

struct end_packet {
	struct packet head;
	uint32_t answer;                /* enum answer */
};

/* NULL when the bytes are a request; else what is wrong with them. */
const char *request_check(const void *bytes, size_t size);

/* Whether the verb changes anything; that is for root alone, and what services write is as well. */
bool verb_is_change(enum verb verb);
bool verb_is_for_root(enum verb verb);

/* What of `list`, `status` and `deaths` shows: a service, from the core and its unit. has_cgroup is the caller's to add. */
void view_unit(struct unit_packet *p, const struct core *c, struct unitset units, uint32_t i, uint64_t now_ms);

/* How one of a unit's streams is to be kept. The token is the caller's to add. */
void view_log(struct log_packet *p, struct unitset units, uint32_t i, enum log_stream stream);

#endif
