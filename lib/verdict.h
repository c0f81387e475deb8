/*
 * What killed it: facts about one death in, a verdict with its evidence out (DESIGN 5, OOM.md 6 and 7.4).
 *
 * Nothing here guesses. A verdict of oom-kill rests on a kernel record that names the process, or on the cgroup's own
 * count of kills; exit status 137 proves nothing, and neither does SIGKILL.
 */
#ifndef OOMPH_VERDICT_H
#define OOMPH_VERDICT_H

#include "kmsg.h"
#include "limits.h"
#include "shared_count.h"
#include "sigtrace.h"

enum cause {
	CAUSE_EXIT, CAUSE_SIGNAL, CAUSE_CORE_DUMP, CAUSE_OOM_KILL, CAUSE_STOP, CAUSE_TIMEOUT, CAUSE_WATCHDOG,
	CAUSE_START_FAILED, N_CAUSE
};
extern const char *const cause_name[N_CAUSE];   /* "exit" ... as in JSON */

/* memory.events is the service's own; where it has none, one of the last three is a count that it shares with others. */
enum evidence {
	EVIDENCE_KMSG = 1 << 0, EVIDENCE_MEMORY_EVENTS = 1 << 1, EVIDENCE_OOM_CONTROL = 1 << 2, EVIDENCE_VMSTAT = 1 << 3
};

/* Why a SIGKILL that is no proven OOM kill may have been one all the same. */
enum oom_doubt {
	DOUBT_NONE,
	DOUBT_HELD,             /* it is not judged yet: its burst is still open */
	DOUBT_NO_WITNESS,       /* no kernel log, and nothing counts */
	DOUBT_ANYBODYS,         /* the count rose, and it counts others than ours too */
	DOUBT_FEWER,            /* it rose by fewer than died at that time */
	N_DOUBT
};
extern const char *const oom_doubt_name[N_DOUBT];       /* as in JSON; NULL for none */

/* Why we ourselves had sent the generation a signal. */
enum errand { ERRAND_NONE, ERRAND_STOP, ERRAND_TIMEOUT, ERRAND_WATCHDOG, ERRAND_SWEEP };

struct death_facts {
	uint8_t code;                   /* CLD_EXITED, CLD_KILLED or CLD_DUMPED of waitid(2) */
	uint8_t status;                 /* exit status, or the signal */
	uint8_t errand;                 /* enum errand: of the last signal that we sent to it */
	uint8_t sent_signal;            /* which one that was */
	bool was_sigkilled;             /* by us: SIGKILL was among them */
	bool is_group_kill;             /* the kernel said that it kills all of its cgroup (memory.oom.group) */
	bool has_counter;               /* memory.events was readable at launch and now */
	bool is_first_killed;           /* SIGKILL ended its first thread too; false where that is not known */
	bool has_kmsg;                  /* /dev/kmsg is open, and no record was lost since the launch */
	uint32_t n_kills;               /* by how much the service's oom_kill count has risen since the launch */
	uint32_t n_explained;           /* distinct other victims in its cgroup that kernel records name since then */
	const struct oom_kill *record;  /* the kernel's record of this very process, or NULL */
	uint8_t shared;                 /* enum shared_word: of a count that is not the service's own */
};

struct verdict {
	uint8_t cause;                  /* enum cause */
	uint8_t evidence;               /* enum evidence bits; 0 unless oom-kill */
	bool is_open;                   /* a record may still be on its way: ask again within EVIDENCE_GRACE_MS */
	bool has_oom_besides;           /* we killed it, and the kernel's count rose meanwhile */
	uint8_t doubt;                  /* enum oom_doubt; DOUBT_HELD: to be judged with its burst (shared_count.h) */
	bool is_foreign;                /* a signal ended it that was surely not ours */
};

struct verdict judge(const struct death_facts *f);

uint8_t shared_evidence(enum shared_source source);     /* the bit of enum evidence */

/* One end of one process, as it is kept, shown, and sent to clients. Flat: the same bytes in core, on the wire and in a file. */
struct death {
	uint64_t id;                    /* 1, 2, 3 ... over all services; 0: no death */
	uint64_t wall_ms;               /* CLOCK_REALTIME */
	uint64_t uptime_ms;             /* how long the process had lived; of a wound, its service's main process */
	uint64_t memory_max;            /* MemoryMax= in force, bytes, or UINT64_MAX */
	uint32_t service;               /* index in the set in force, NO_UNIT once its unit is gone */
	uint32_t generation;
	uint32_t pid;                   /* 0: nobody told */
	uint32_t delay_ms;              /* until the next start, when is_restart */
	uint8_t cause, evidence;
	uint8_t code, status;           /* of waitid(2); code 0 when nothing was waited for: a wound, or no launch at all */
	uint8_t launch_step;            /* start-failed: enum launch_step */
	uint8_t launch_error;           /* start-failed: errno */
	bool is_main, is_restart, is_decided, has_oom_besides;
	uint8_t doubt;                  /* enum oom_doubt */
	char unit[64];                  /* its name, cut: outlives the unit */
	char comm[16];
	struct sender sender;           /* whose SIGKILL or SIGTERM it was; pid 0: nobody told, or not another's */
	struct oom_kill oom;            /* when cause is oom-kill; every value that nobody told is untold */
};

#endif
