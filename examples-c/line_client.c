/*
 * line_client.c - the main job, part 2: a thousand connections to line_server at once.
 *
 * Each connection is a coroutine that sends the lines of a file, a few kilobytes of whole lines at
 * a time, receives while it sends, and compares every byte that comes back.
 * Usage: line_client PORT [CONNECTIONS [FILE]]      1000 connections and the GPL without them.
 * Ends with status 1 if a byte differed or a connection failed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 4096

struct client {
    RONDO_FRAME;
    struct sockaddr_in address;
    const char *data; /* the file; its last line ends with a newline, too */
    size_t size;
    size_t count; /* connections wanted */
    uint64_t connected, open, most_open, lines, bytes, mismatches, failed;
    uint64_t arrived;       /* connected or failed to */
    rondo_future *everyone; /* done when all have arrived: then a thousand talk at once */
    rondo_future *all;      /* done when all have ended */
};

struct connection {
    RONDO_FRAME;
    struct client *client;
    int fd; /* 0: none yet */
    int arrived;
    size_t offset, chunk, received;
    rondo_future *sending;
    char buffer[CHUNK];
};

/* ---- one connection ------------------------------------------------------------------------- */

/* The length of the next whole lines: as many as fit into CHUNK, but at least one. */
static size_t next_chunk(const struct client *client, size_t offset)
{
    size_t length = 0;
    while (offset + length < client->size) {
        const char *line = client->data + offset + length;
        const char *end = memchr(line, '\n', client->size - offset - length);
        size_t line_length = (size_t)(end - line) + 1;
        if (length > 0 && length + line_length > CHUNK)
            break;
        length += line_length;
    }
    return length;
}

/* Compare what came back with what went out. */
static void verify(struct connection *self, size_t count)
{
    struct client *client = self->client;
    const char *expected = client->data + self->offset + self->received;
    for (size_t i = 0; i < count; i++) {
        client->mismatches += self->buffer[i] != expected[i];
        client->lines += self->buffer[i] == '\n';
    }
    client->bytes += count;
    self->received += count;
}

static size_t room(const struct connection *self)
{
    size_t left = self->chunk - self->received;
    return left < sizeof self->buffer ? left : sizeof self->buffer;
}

static rondo_status open_connection(struct connection *self, rondo_future **out_connected)
{
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (self->fd < 0) {
        self->fd = 0;
        return -errno;
    }
    return rondo_loop_sock_connect(rondo_running_loop(), self->fd,
                                   (struct sockaddr *)&self->client->address,
                                   sizeof self->client->address, out_connected);
}

static void arrive(struct connection *self)
{
    struct client *client = self->client;
    self->arrived = 1;
    if (++client->arrived == client->count)
        (void)rondo_future_set_result(client->everyone, NULL, NULL); /* or it was cancelled */
}

static void count_connection(struct client *client)
{
    client->connected++;
    client->open++;
    if (client->open > client->most_open)
        client->most_open = client->open;
}

RONDO_STEP(talk)
{
    struct connection *self = frame;
    struct client *client = self->client;
    rondo_loop *loop = rondo_running_loop();
    rondo_future *io = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(open_connection(self, &io), "connect");
    RONDO_AWAIT_MOVED(self, io);
    count_connection(client);
    arrive(self);
    RONDO_AWAIT(self, client->everyone);
    for (; self->offset < client->size; self->offset += self->chunk) {
        self->chunk = next_chunk(client, self->offset);
        RONDO_CHECK(rondo_loop_sock_sendall(loop, self->fd, client->data + self->offset,
                                            self->chunk, &self->sending), "send");
        /* Receive while it sends: a chunk larger than the kernel's buffers would else get stuck. */
        for (self->received = 0; self->received < self->chunk;) {
            RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->buffer, room(self), &io),
                        "recv");
            RONDO_AWAIT_MOVED(self, io);
            if ((intptr_t)sent == 0)
                RONDO_RAISE(1, "the server closed the connection too early");
            verify(self, (size_t)(intptr_t)sent);
        }
        RONDO_AWAIT(self, self->sending);
        RONDO_CHECK(rondo_future_release(self->sending), "send");
        self->sending = NULL;
    }
    RONDO_CHECK(shutdown(self->fd, SHUT_WR) == 0 ? RONDO_OK : -errno, "shutdown");
    RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->buffer, 1, &io), "recv");
    RONDO_AWAIT_MOVED(self, io);
    client->mismatches += (uint64_t)(intptr_t)sent; /* a byte that nobody asked for */
    client->open--;
    RONDO_END(self);
}

/* Also for a connection that failed half-way: nothing of it may wait on when its socket goes. */
static void connection_drop(void *frame)
{
    struct connection *self = frame;
    if (self->client != NULL && !self->arrived)
        arrive(self);
    if (self->sending != NULL) {
        (void)rondo_future_cancel(self->sending, NULL, NULL); /* it may be done */
        (void)rondo_future_result(self->sending, NULL);       /* and its failure is known */
        (void)rondo_future_release(self->sending);
    }
    if (self->fd > 0)
        close(self->fd);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static rondo_status new_connection(struct client *client, rondo_coroutine **out_coroutine)
{
    void *frame = NULL;
    rondo_status status = rondo_coroutine_new_with_frame("talk", talk, sizeof(struct connection),
                                                         connection_drop, &frame, out_coroutine);
    if (status == RONDO_OK)
        ((struct connection *)frame)->client = client;
    return status;
}

/* Make the coroutines and one future for all of them; gather makes them tasks. */
static rondo_status start(struct client *client)
{
    size_t made = 0;
    rondo_status status = RONDO_OK;
    rondo_awaitable **coroutines = calloc(client->count, sizeof *coroutines);
    if (coroutines == NULL)
        return -ENOMEM;
    while (made < client->count && status == RONDO_OK) {
        rondo_coroutine *coroutine = NULL;
        status = new_connection(client, &coroutine);
        if (status == RONDO_OK)
            coroutines[made++] = coroutine;
    }
    if (status == RONDO_OK) {
        status = rondo_gather(rondo_running_loop(), coroutines, made,
                              RONDO_GATHER_RETURN_EXCEPTIONS, &client->all);
        made = 0; /* they moved, whatever came of it */
    }
    while (made > 0)
        (void)rondo_coroutine_release(coroutines[--made]); /* out of memory is what to tell */
    free(coroutines);
    return status;
}

/* Count the connections that failed and say of the first why. */
static rondo_status count_failures(struct client *client)
{
    for (size_t i = 0; i < client->count; i++) {
        rondo_error *error = NULL;
        rondo_status status = rondo_gather_get_exception(client->all, i, &error);
        if (status != RONDO_OK)
            return status;
        if (error != NULL && client->failed++ == 0)
            fprintf(stderr, "line_client: connection %zu: %s: %s\n", i,
                    rondo_error_get_operation(error) ? rondo_error_get_operation(error) : "failed",
                    rondo_error_get_message(error));
        status = rondo_error_release(error);
        if (status != RONDO_OK)
            return status;
    }
    return RONDO_OK;
}

RONDO_STEP(main_step)
{
    struct client *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_future_new(rondo_running_loop(), &self->everyone), "future");
    RONDO_CHECK(start(self), "gather");
    RONDO_AWAIT(self, self->all);
    RONDO_CHECK(count_failures(self), "gather");
    RONDO_END(self);
}

static void main_drop(void *frame)
{
    struct client *self = frame;
    if (rondo_future_release(self->all) != RONDO_OK ||
        rondo_future_release(self->everyone) != RONDO_OK)
        fputs("line_client: a future was released once too often\n", stderr);
}

/* ---- what it needs from the system ---------------------------------------------------------- */

/* Read the file; give its last line a newline if it has none. */
static int read_file(const char *path, struct client *client)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t size = 0, capacity = 0, count;
    if (file == NULL)
        return -1;
    do {
        if (size + 1 >= capacity) {
            char *larger = realloc(data, capacity = capacity * 2 + CHUNK);
            if (larger == NULL)
                goto failed;
            data = larger;
        }
        count = fread(data + size, 1, capacity - size - 1, file);
        size += count;
    } while (count > 0);
    if (ferror(file))
        goto failed;
    fclose(file);
    if (size > 0 && data[size - 1] != '\n')
        data[size++] = '\n';
    client->data = data;
    client->size = size;
    return 0;
failed:
    fclose(file);
    free(data);
    return -1;
}

/* A descriptor per connection is needed, and a few more: ask for all we may have. */
static int enough_descriptors(size_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= connections + 16)
            return 1;
    }
    fprintf(stderr, "line_client: %zu connections need %zu descriptors and this process may have "
            "%ju: raise the hard limit (ulimit -Hn) or ask for fewer connections\n", connections,
            connections + 16, (uintmax_t)limit.rlim_cur);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static rondo_status run(struct client *client)
{
    rondo_coroutine *main_coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("main", main_step, client, main_drop,
                                              &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, &error);
    if (status != RONDO_OK)
        fprintf(stderr, "line_client: %s\n", status == RONDO_E_RAISED
                ? rondo_error_get_message(error) : rondo_status_message(status));
    rondo_status released = rondo_error_release(error);
    return status != RONDO_OK ? status : released;
}

int main(int argc, char **argv)
{
    const char *path = argc > 3 ? argv[3] : "/usr/share/common-licenses/GPL-3";
    struct client client = { .count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000 };
    if (argc < 2 || client.count == 0) {
        fprintf(stderr, "usage: %s PORT [CONNECTIONS [FILE]]\n", argv[0]);
        return 2;
    }
    client.address.sin_family = AF_INET;
    client.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client.address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    if (read_file(path, &client) != 0) {
        fprintf(stderr, "line_client: %s: %s\n", path, strerror(errno));
        return 2;
    }
    if (!enough_descriptors(client.count))
        return 2;

    int64_t begin = now_ms();
    rondo_status status = run(&client);
    printf("line_client: %ju connections, %ju lines, %ju bytes, %ju mismatches, %ju failed\n",
           (uintmax_t)client.connected, (uintmax_t)client.lines, (uintmax_t)client.bytes,
           (uintmax_t)client.mismatches, (uintmax_t)client.failed);
    printf("elapsed: %jd ms, at most %ju connections open at once\n",
           (intmax_t)(now_ms() - begin), (uintmax_t)client.most_open);
    int complete = client.connected == client.count && client.bytes == client.count * client.size;
    free((void *)client.data);
    return status == RONDO_OK && complete && client.mismatches == 0 && client.failed == 0 ? 0 : 1;
}
