/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads pipe and local: bytes on their way through other processes. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 8192u

static u8 buffer[CHUNK];

static void source(int to, u32 seed, u32 chunks)
{
	for (u32 i = 0; i < chunks; i++) {
		fill(buffer, CHUNK, mix(seed, i));
		write_all(to, buffer, CHUNK);
	}
}

/* Passes everything on, inverted, in pieces of its own size. */
static void stage(int from, int to, u32 seed)
{
	struct rng r = {seed};
	size_t n;

	while ((n = read_all(from, buffer, 1 + below(&r, CHUNK))) > 0) {
		for (size_t i = 0; i < n; i++)
			buffer[i] = (u8)~buffer[i];
		write_all(to, buffer, n);
	}
}

static void drain(int from, u32 seed, u32 chunks, bool inverted)
{
	for (u32 i = 0; i < chunks; i++) {
		CHECK(read_all(from, buffer, CHUNK) == CHUNK, "pipe: ends early");
		for (u32 n = 0; inverted && n < CHUNK; n++)
			buffer[n] = (u8)~buffer[n];
		verify(buffer, CHUNK, mix(seed, i), "pipe");
	}
	CHECK(read_all(from, buffer, 1) == 0, "pipe: has more than was written");
}

/* A process that writes into a new pipe; returns its end to read. */
static int attach(pid_t *child, int from, u32 seed, u32 chunks)
{
	int end[2];

	CHECK(pipe(end) == 0, "pipe: %s", strerror(errno));
	*child = spawn();
	if (!*child) {
		close(end[0]);
		if (from < 0)
			source(end[1], seed, chunks);
		else
			stage(from, end[1], seed);
		_exit(3);
	}
	close(end[1]);
	if (from >= 0)
		close(from);
	return end[0];
}

void load_pipe(struct rng *r)
{
	u32 stages = below(r, 5), seed = rnd(r), chunks = 4 + below(r, 16);
	pid_t child[6];
	int from = attach(&child[0], -1, seed, chunks);

	for (u32 i = 1; i <= stages; i++)
		from = attach(&child[i], from, mix(seed, 1000 + i), 0);
	drain(from, seed, chunks, stages & 1);
	close(from);
	for (u32 i = 0; i <= stages; i++)
		reap(child[i], 3, "pipe");
}

#define MESSAGE_MAX 4000u

static void send_file(int socket, int file)
{
	u32 byte = 0;
	struct iovec io = {&byte, 1};
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &file, sizeof(int));
	CHECK(sendmsg(socket, &m, 0) == 1, "local: sendmsg: %s", strerror(errno));
}

static int take_file(int socket)
{
	u32 byte;
	struct iovec io = {&byte, 1};
	char control[CMSG_SPACE(sizeof(int))];
	struct msghdr m = {.msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int file = -1;

	CHECK(recvmsg(socket, &m, 0) == 1, "local: recvmsg: %s", strerror(errno));
	CHECK(CMSG_FIRSTHDR(&m), "local: no file came");
	memcpy(&file, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return file;
}

/* Answers each message with the next seed's; at the end checks a file. */
static noreturn void answerer(int socket, u32 seed, u32 messages)
{
	int file;

	for (u32 i = 0; i < messages; i++) {
		u32 bytes = mix(seed, i) % MESSAGE_MAX & ~3u;

		CHECK(read_all(socket, buffer, bytes + 4) == bytes + 4,
		      "local: a message is short");
		verify(buffer, bytes + 4, mix(seed, i), "local: message");
		fill(buffer, bytes + 4, mix(seed + 1, i));
		write_all(socket, buffer, bytes + 4);
	}
	file = take_file(socket);
	CHECK(lseek(file, 0, SEEK_SET) == 0, "local: lseek: %s", strerror(errno));
	CHECK(read_all(file, buffer, CHUNK) == CHUNK, "local: the file is short");
	verify(buffer, CHUNK, seed, "local: file that was sent");
	_exit(5);
}

void load_local(struct rng *r)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
	u32 seed = rnd(r), messages = 20 + below(r, 100);
	char name[64];
	int end[2], file;
	pid_t child;

	CHECK(socketpair(AF_UNIX, types[below(r, 3)], 0, end) == 0, "local: socketpair: %s",
	      strerror(errno));
	child = spawn();
	if (!child) {
		close(end[0]);
		answerer(end[1], seed, messages);
	}
	close(end[1]);
	for (u32 i = 0; i < messages; i++) {
		u32 bytes = mix(seed, i) % MESSAGE_MAX & ~3u;

		fill(buffer, bytes + 4, mix(seed, i));
		write_all(end[0], buffer, bytes + 4);
		CHECK(read_all(end[0], buffer, bytes + 4) == bytes + 4,
		      "local: an answer is short");
		verify(buffer, bytes + 4, mix(seed + 1, i), "local: answer");
	}
	snprintf(name, sizeof(name), WORK "/local-%d", (int)getpid());
	file = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(file >= 0, "local: %s: %s", name, strerror(errno));
	unlink(name);
	fill(buffer, CHUNK, seed);
	write_all(file, buffer, CHUNK);
	send_file(end[0], file);
	close(file);
	reap(child, 5, "local");
	close(end[0]);
}
