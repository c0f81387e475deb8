/*
 * pour LINES     writes numbered lines of 100 bytes to standard output as fast as it takes them, many to a write, and each write
 *                no larger than a pipe takes whole (pipe(7), PIPE_BUF)
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE 100
#define LINES_AT_ONCE (PIPE_BUF / LINE)

static char bytes[LINES_AT_ONCE * LINE];

/* Ten digits at the front; the rest never changes. */
static void number(char *line, unsigned long n)
{
	for (int i = 9; i >= 0; i--, n /= 10)
		line[i] = (char)('0' + n % 10);
}

static int pour(const char *from, size_t n)
{
	while (n) {
		ssize_t done = write(STDOUT_FILENO, from, n);
		if (done <= 0)
			return -1;
		from += done;
		n -= (size_t)done;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long most = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	memset(bytes, '.', sizeof bytes);
	for (size_t i = 0; i < LINES_AT_ONCE; i++)
		bytes[i * LINE + LINE - 1] = '\n';
	for (unsigned long n = 0; n < most;) {
		size_t k = 0;
		for (; k < LINES_AT_ONCE && n < most; k++)
			number(bytes + k * LINE, n++);
		if (pour(bytes, k * LINE) < 0) {
			perror("pour");
			return 1;
		}
	}
	return 0;
}
