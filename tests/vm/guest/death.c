/* death UNIT CAUSE PID GENERATION ID [KB]: a packet of the control socket that tells of such a death, on standard output. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto.h"

int main(int argc, char **argv)
{
	static const char *const causes[] = { [CAUSE_EXIT] = "exit", [CAUSE_SIGNAL] = "signal", [CAUSE_OOM_KILL] = "oom-kill", [CAUSE_STOP] = "stop" };
	struct death_packet p = { .head = { PACKET_DEATH, sizeof p } };
	if (argc < 6)
		return 2;
	strncpy(p.death.unit, argv[1], sizeof p.death.unit - 1);
	for (unsigned i = 0; i < countof(causes); i++)
		if (causes[i] && strcmp(causes[i], argv[2]) == 0)
			p.death.cause = (uint8_t)i;
	p.death.pid = (uint32_t)atoi(argv[3]);
	p.death.generation = (uint32_t)atoi(argv[4]);
	p.death.id = (uint64_t)atoi(argv[5]);
	p.death.is_main = p.death.is_decided = true;
	p.death.code = p.death.cause == CAUSE_EXIT ? CLD_EXITED : CLD_KILLED;
	p.death.status = p.death.cause == CAUSE_EXIT ? 3 : SIGKILL;
	p.death.oom.anon_rss_kb = argc > 6 ? (uint64_t)atoi(argv[6]) : KMSG_UNTOLD_KB;
	p.death.oom.file_rss_kb = p.death.oom.shmem_rss_kb = KMSG_UNTOLD_KB;
	return write(STDOUT_FILENO, &p, sizeof p) == (ssize_t)sizeof p ? 0 : 1;
}
