#include "logqueue.h"

#include <string.h>

/* A record has its length in front. Both may go over the end of the ring and on at its beginning. */

static void put(struct logqueue *q, const void *from, size_t n)
{
	size_t at = (q->first + q->n) % q->cap, before_end = q->cap - at < n ? q->cap - at : n;
	memcpy(q->bytes + at, from, before_end);
	memcpy(q->bytes, (const char *)from + before_end, n - before_end);
	q->n += n;
}

static void take(struct logqueue *q, struct buf *to, size_t n)
{
	size_t before_end = q->cap - q->first < n ? q->cap - q->first : n;
	buf_str(to, str_of(q->bytes + q->first, before_end));
	buf_str(to, str_of(q->bytes, n - before_end));
	q->first = (q->first + n) % q->cap;
	q->n -= n;
}

static size_t take_length(struct logqueue *q)
{
	uint32_t n;
	char room[sizeof n];
	struct buf b = BUF(room);
	take(q, &b, sizeof n);
	memcpy(&n, room, sizeof n);
	return n;
}

static void drop_oldest(struct logqueue *q)
{
	size_t n = take_length(q);
	q->first = (q->first + n) % q->cap;
	q->n -= n;
	q->n_dropped++;
}

void logqueue_push(struct logqueue *q, struct str record)
{
	uint32_t n = (uint32_t)record.n;
	if (record.n > UINT32_MAX || q->cap < sizeof n || record.n > q->cap - sizeof n) {
		q->n_dropped++;
		return;
	}
	while (q->cap - q->n < sizeof n + record.n)
		drop_oldest(q);
	put(q, &n, sizeof n);
	put(q, record.p, record.n);
}

bool logqueue_pop(struct logqueue *q, struct buf *to)
{
	if (q->n == 0)
		return false;
	take(q, to, take_length(q));
	return true;
}
