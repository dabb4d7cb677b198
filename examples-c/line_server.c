/*
 * line_server.c - the main job, part 1: a server that sends every line back to who sent it.
 *
 * One coroutine task per connection, on raw non-blocking sockets. Prints "listening on
 * 127.0.0.1:PORT" first and a summary of what it really did last.
 * Usage: line_server [--port N] [--once N]     port 0: any. --once: end after N connections;
 * without it the server ends on SIGINT (Control-C).
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
#include <unistd.h>

struct server {
    RONDO_FRAME;
    int listener;
    uint64_t limit; /* end after so many connections; 0: never */
    uint64_t accepted, open, failed, lines, bytes;
    rondo_future *idle; /* done when the last of limit connections is closed */
};

struct connection {
    RONDO_FRAME;
    struct server *server;
    int fd;
    int ended;            /* the peer will send no more */
    size_t used, sending; /* what the buffer holds; how much of it is complete lines */
    char buffer[16384];
};

/* ---- one connection ------------------------------------------------------------------------- */

/* How much can go back: up to the last newline; all of it at the end or if no more would fit. */
static size_t complete_lines(const struct connection *self)
{
    const char *newline = memrchr(self->buffer, '\n', self->used);
    if (self->ended || (newline == NULL && self->used == sizeof self->buffer))
        return self->used;
    return newline == NULL ? 0 : (size_t)(newline - self->buffer) + 1;
}

/* The complete lines are sent: count them, keep the rest. */
static void lines_sent(struct connection *self)
{
    for (size_t i = 0; i < self->sending; i++)
        self->server->lines += self->buffer[i] == '\n';
    self->server->bytes += self->sending;
    self->used -= self->sending;
    memmove(self->buffer, self->buffer + self->sending, self->used);
}

/* A connection that broke is counted and over; the server goes on. */
static rondo_step broken(rondo_coroutine *co, struct connection *self, rondo_error *error)
{
    if (rondo_error_get_status(error) == RONDO_E_CANCELLED)
        return rondo_coroutine_raise(co, error);
    self->server->failed++;
    fprintf(stderr, "line_server: %s\n", rondo_error_get_message(error));
    return RONDO_STEP_RETURN;
}

RONDO_STEP(serve_connection)
{
    struct connection *self = frame;
    rondo_future *io = NULL;

    RONDO_BEGIN(self);
    while (!self->ended) {
        RONDO_CHECK(rondo_loop_sock_recv(rondo_running_loop(), self->fd, self->buffer + self->used,
                                         sizeof self->buffer - self->used, &io), "recv");
        RONDO_TRY_AWAIT_MOVED(self, io);
        if (thrown != NULL)
            return broken(co, self, thrown);
        self->ended = (intptr_t)sent == 0;
        self->used += (size_t)(intptr_t)sent;
        self->sending = complete_lines(self);
        if (self->sending == 0)
            continue;
        RONDO_CHECK(rondo_loop_sock_sendall(rondo_running_loop(), self->fd, self->buffer,
                                            self->sending, &io), "send");
        RONDO_TRY_AWAIT_MOVED(self, io);
        if (thrown != NULL)
            return broken(co, self, thrown);
        lines_sent(self);
    }
    RONDO_END(self);
}

static void connection_drop(void *frame)
{
    struct connection *self = frame;
    struct server *server = self->server;
    if (server == NULL) /* never filled in */
        return;
    close(self->fd);
    server->open--;
    if (server->open == 0 && server->accepted == server->limit)
        (void)rondo_future_set_result(server->idle, NULL, NULL); /* done: nobody waits any more */
}

static rondo_status start_connection(struct server *server, int fd)
{
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    rondo_status status = rondo_coroutine_new_with_frame("serve_connection", serve_connection,
                                                         sizeof(struct connection),
                                                         connection_drop, &frame, &coroutine);
    if (status != RONDO_OK) {
        close(fd);
        return status;
    }
    struct connection *connection = frame;
    connection->server = server;
    connection->fd = fd;
    server->accepted++;
    server->open++;
    return rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, NULL);
}

/* ---- the server ----------------------------------------------------------------------------- */

/* Out of descriptors or a peer that left while it waited: the listener is still good. */
static int worth_another_try(const rondo_error *error)
{
    rondo_status status = rondo_error_get_status(error);
    return status == -EMFILE || status == -ENFILE || status == -ECONNABORTED;
}

RONDO_STEP(serve)
{
    struct server *self = frame;
    rondo_future *accepted = NULL;
    void *fd = NULL;

    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_future_new(rondo_running_loop(), &self->idle), "future");
    while (self->limit == 0 || self->accepted < self->limit) {
        RONDO_CHECK(rondo_loop_sock_accept(rondo_running_loop(), self->listener, NULL, NULL,
                                           &accepted), "accept");
        RONDO_TRY_AWAIT_MOVED(self, accepted);
        if (thrown != NULL) {
            if (!worth_another_try(thrown))
                return rondo_coroutine_raise(co, thrown);
            fprintf(stderr, "line_server: accept: %s\n", rondo_error_get_message(thrown));
            RONDO_SLEEP(self, 100000000);
            continue;
        }
        RONDO_CHECK(rondo_coroutine_take_sent(co, &fd), "accept");
        RONDO_CHECK(start_connection(self, (int)(intptr_t)fd), "connection");
    }
    RONDO_AWAIT(self, self->idle);
    RONDO_END(self);
}

/* Listen on loopback and say where. Returns the socket or -1. */
static int listen_on(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t size = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("line_server: listen");
        return -1;
    }
    printf("listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* As many descriptors as we may have; say so if --once asks for more. */
static int raise_descriptor_limit(uint64_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return -1;
    if (limit.rlim_max < connections + 16)
        fprintf(stderr, "line_server: at most %ju descriptors (ulimit -Hn): of %ju connections "
                "some will have to wait\n", (uintmax_t)limit.rlim_max, (uintmax_t)connections);
    return 0;
}

static rondo_status run(struct server *server)
{
    rondo_coroutine *main_coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status = rondo_coroutine_new("serve", serve, server, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, &error);
    if (status == RONDO_E_RAISED)
        fprintf(stderr, "line_server: %s\n", rondo_error_get_message(error));
    else if (status != RONDO_OK && status != RONDO_E_INTERRUPTED)
        fprintf(stderr, "line_server: %s\n", rondo_status_message(status));
    if (rondo_error_release(error) != RONDO_OK || rondo_future_release(server->idle) != RONDO_OK)
        return RONDO_E_RUNTIME;
    return status;
}

int main(int argc, char **argv)
{
    struct server server = { .listener = -1 };
    unsigned long port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--port") == 0)
            port = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--once") == 0)
            server.limit = strtoull(argv[i + 1], NULL, 10);
    }
    if (raise_descriptor_limit(server.limit) != 0)
        perror("line_server: RLIMIT_NOFILE");
    server.listener = listen_on((uint16_t)port);
    if (server.listener < 0)
        return 1;
    rondo_status status = run(&server);
    close(server.listener);
    printf("line_server: %ju connections, %ju lines, %ju bytes, %ju failed\n",
           (uintmax_t)server.accepted, (uintmax_t)server.lines, (uintmax_t)server.bytes,
           (uintmax_t)server.failed);
    return (status == RONDO_OK || status == RONDO_E_INTERRUPTED) && server.failed == 0 ? 0 : 1;
}
