#include "system.h"

#include <signal.h>

const char *const power_name[N_POWER] = {
	[POWER_OFF] = "poweroff", [POWER_REBOOT] = "reboot", [POWER_HALT] = "halt", [POWER_EXIT] = "exit",
};

enum signal_meaning system_signal(enum system_mode mode, int signal, enum power *power)
{
	if (mode == MODE_COMMAND)
		return SIGNAL_MEANS_NOTHING;
	*power = mode == MODE_CONTAINER ? POWER_EXIT : signal == SIGINT ? POWER_REBOOT : POWER_OFF;
	switch (signal) {
	case SIGINT: case SIGTERM: case SIGPWR:
		return SIGNAL_MEANS_POWER;
	case SIGHUP:
		return SIGNAL_MEANS_LOAD;
	default:
		return SIGNAL_MEANS_NOTHING;
	}
}
