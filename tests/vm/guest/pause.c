/* pause: a service that does nothing at all, until a signal ends it. */
#include <unistd.h>

int main(void)
{
	pause();
	return 0;
}
