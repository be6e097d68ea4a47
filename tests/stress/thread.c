/* SPDX-License-Identifier: GPL-2.0-only */
/* Load thread: clone by way of the C library's threads. */
#include "stress.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define THREADS 6u
#define TURNS 40u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static u32 turn, sum, total;
static __thread u32 own[16];

/* Turns go round; each thread adds its share, and keeps data of its own. */
static void *run(void *argument)
{
	u32 n = (u32)argument;

	for (u32 i = 0; i < TURNS; i++) {
		fill(own, sizeof(own), mix(n, i));
		pthread_mutex_lock(&lock);
		while (turn != n)
			pthread_cond_wait(&turned, &lock);
		sum = mix(sum, n);
		total++;
		turn = (turn + 1) % THREADS;
		pthread_cond_broadcast(&turned);
		pthread_mutex_unlock(&lock);
		if (mix(n, i) % 3 == 0)
			sched_yield();
		verify(own, sizeof(own), mix(n, i), "thread: local data");
	}
	return (void *)mix(n, 77);
}

void load_thread(struct rng *r)
{
	pthread_t thread[THREADS];
	u32 right = rnd(r);

	sum = right;
	turn = total = 0;
	for (u32 n = 0; n < THREADS; n++) {
		int err = pthread_create(&thread[n], NULL, run, (void *)n);

		for (u32 tries = 0; err == EAGAIN && tries < 1000; tries++) {
			usleep(20000);
			err = pthread_create(&thread[n], NULL, run, (void *)n);
		}
		CHECK(!err, "thread: pthread_create: %s", strerror(err));
	}
	for (u32 n = 0; n < THREADS; n++) {
		void *result;

		CHECK(pthread_join(thread[n], &result) == 0, "thread: pthread_join");
		CHECK(result == (void *)mix(n, 77), "thread: %u returned %p", n, result);
	}
	for (u32 i = 0; i < TURNS * THREADS; i++)
		right = mix(right, i % THREADS);
	CHECK(total == TURNS * THREADS && sum == right, "thread: %u turns gave %08x, not %08x",
	      total, sum, right);
}
