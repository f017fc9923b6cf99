/*
 * Who is attached to the container: `attach` in its folder is a unix stream socket that speaks frames of four bytes and a
 * payload: type, 0, length as u16 (little endian).
 *
 *   from a client   a  it wants the output from now on          w  it only waits for the end
 *                   i  input                                    e  end of input
 *                   r  size of its terminal: rows, columns, u16 each
 *   to a client     a  from here on it gets the output          x  the container has ended: exit code, u32
 *                   1  standard output                          2  standard error
 *
 * Nothing is lost: the container's output is read on when every client has taken the last piece of it, so a client that stops
 * reading holds the container up, as a stopped terminal does.
 */
#ifndef DELOS_CLIENTS_H
#define DELOS_CLIENTS_H

#include <errno.h>
#include <linux/poll.h>
#include "text.h"

#define CLIENTS 16
#define HEADER 4
#define INPUT_MAX 1024
#define OUTPUT_MAX 4096
#define MSG_QUIET 0x4040 /* MSG_DONTWAIT | MSG_NOSIGNAL */

struct client {
	int fd; /* -1: a free place */
	int watches; /* wants output */
	long have, used; /* bytes in `input`; bytes of its payload already passed on */
	long sent; /* bytes of the current piece of output it has got */
	unsigned char input[HEADER + INPUT_MAX];
};

static struct client clients[CLIENTS];
static unsigned char piece[HEADER + OUTPUT_MAX];
static long piece_size;

static void client_drop(struct client *client)
{
	call1(__NR_close, client->fd);
	client->fd = -1;
}

static void clients_prepare(void)
{
	for (int i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
}

/* Closes the connection when there is no place for it. */
static void client_add(int fd)
{
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i].fd < 0) {
			clients[i].fd = fd;
			clients[i].watches = 0;
			clients[i].have = clients[i].used = 0;
			clients[i].sent = piece_size;
			return;
		}
	call1(__NR_close, fd);
}

static int client_is_behind(const struct client *client)
{
	return client->fd >= 0 && client->watches && client->sent < piece_size;
}

static int clients_behind(void)
{
	for (int i = 0; i < CLIENTS; i++)
		if (client_is_behind(&clients[i]))
			return 1;
	return 0;
}

static void clients_drop_behind(void)
{
	for (int i = 0; i < CLIENTS; i++)
		if (client_is_behind(&clients[i]))
			client_drop(&clients[i]);
}

static void client_send(struct client *client)
{
	while (client_is_behind(client)) {
		long sent = call6(__NR_sendto, client->fd, piece + client->sent, piece_size - client->sent, MSG_QUIET, 0, 0);
		if (sent == -EAGAIN)
			return;
		if (sent <= 0)
			return client_drop(client);
		client->sent += sent;
	}
}

/* Begins a new piece of output; its payload lies in `piece` already. */
static void clients_send(char type, long length)
{
	piece[0] = (unsigned char)type;
	piece[1] = 0;
	piece[2] = (unsigned char)length;
	piece[3] = (unsigned char)(length >> 8);
	piece_size = HEADER + length;
	for (int i = 0; i < CLIENTS; i++) {
		clients[i].sent = 0;
		client_send(&clients[i]);
	}
}

/* From here on it gets the output. It is told so: what the container writes before is not for it. */
static void client_watch(struct client *client)
{
	static const unsigned char frame[HEADER] = { 'a' };
	if (client->watches)
		return;
	client->watches = 1;
	client->sent = piece_size;
	call6(__NR_sendto, client->fd, frame, sizeof frame, MSG_QUIET, 0, 0);
}

/* The last frame of all, to those who only waited too. */
static void clients_end(unsigned code)
{
	unsigned char frame[8] = { 'x', 0, 4, 0, (unsigned char)code, (unsigned char)(code >> 8), 0, 0 };
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i].fd >= 0 && !client_is_behind(&clients[i]))
			call6(__NR_sendto, clients[i].fd, frame, sizeof frame, MSG_QUIET, 0, 0);
}

static long client_length(const struct client *client)
{
	return client->input[2] | client->input[3] << 8;
}

static int client_has_frame(const struct client *client)
{
	return client->have >= HEADER && client->have >= HEADER + client_length(client);
}

/* Reads up to the end of one frame, never into the next. Drops a client that has gone or does not speak the language. */
static void client_receive(struct client *client)
{
	long want = client->have < HEADER ? HEADER : HEADER + client_length(client);
	long got = call3(__NR_read, client->fd, client->input + client->have, want - client->have);
	if (got == -EAGAIN)
		return;
	if (got <= 0)
		return client_drop(client);
	client->have += got;
	if (client->have >= HEADER && client_length(client) > INPUT_MAX)
		client_drop(client);
}

#endif
