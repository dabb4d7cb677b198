/* socket.c - raw sockets on the loop: bytes, datagrams, connections, cancelling, errors. */
#define _GNU_SOURCE
#include "coro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static rondo_future *recv_into(rondo_loop *loop, int fd, void *buffer, size_t size)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_sock_recv(loop, fd, buffer, size, &future));
    return future;
}

static rondo_future *sendall(rondo_loop *loop, int fd, const void *data, size_t size)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_sock_sendall(loop, fd, data, size, &future));
    return future;
}

static void finish(rondo_loop *loop, rondo_future *future)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
}

static intptr_t count_of(rondo_future *future)
{
    void *value = NULL;
    CHECK_OK(rondo_future_result(future, &value));
    return (intptr_t)value;
}

/* An error of the system, with the operation's name. */
static void expect_posix(rondo_future *future, int code, const char *operation)
{
    rondo_error *error = NULL;
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_POSIX);
    CHECK_EQ_INT(rondo_error_get_code(error), code);
    CHECK(rondo_error_get_operation(error) != NULL);
    CHECK(strstr(rondo_error_get_operation(error), operation) != NULL);
    CHECK_OK(rondo_error_release(error));
}

static void close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    return fd;
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* What is there is taken at once; what is not is waited for. */
KIT_TEST(recv_at_once_and_later)
{
    rondo_loop *loop = kit_loop();
    char buffer[8] = "";
    int fds[2];
    kit_socketpair(fds);
    CHECK_EQ_INT(write(fds[1], "abcdefghij", 10), 10);
    rondo_future *future = recv_into(loop, fds[0], buffer, sizeof buffer);
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    CHECK_EQ_INT(count_of(future), 8); /* up to size */
    CHECK_EQ_INT(memcmp(buffer, "abcdefgh", 8), 0);
    end_future(future);
    future = recv_into(loop, fds[0], buffer, sizeof buffer);
    CHECK_EQ_INT(count_of(future), 2);
    end_future(future);
    future = recv_into(loop, fds[0], buffer, sizeof buffer);
    expect_pending(future);
    CHECK_EQ_INT(write(fds[1], "xyz", 3), 3);
    finish(loop, future);
    CHECK_EQ_INT(count_of(future), 3);
    CHECK_EQ_INT(memcmp(buffer, "xyz", 3), 0);
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}

KIT_TEST(recv_end_of_stream)
{
    rondo_loop *loop = kit_loop();
    char buffer[8];
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = recv_into(loop, fds[0], buffer, sizeof buffer);
    close(fds[1]);
    finish(loop, future);
    CHECK_EQ_INT(count_of(future), 0);
    end_future(future);
    future = recv_into(loop, fds[0], buffer, sizeof buffer); /* and again */
    CHECK_EQ_INT(count_of(future), 0);
    end_future(future);
    close(fds[0]);
    kit_loop_end(loop);
}

/* F15: the peer shut its side down, and still reads. */
KIT_TEST(recv_half_closed)
{
    rondo_loop *loop = kit_loop();
    char buffer[8];
    int fds[2];
    kit_socketpair(fds);
    CHECK_EQ_INT(shutdown(fds[1], SHUT_WR), 0);
    rondo_future *received = recv_into(loop, fds[0], buffer, sizeof buffer);
    finish(loop, received);
    CHECK_EQ_INT(count_of(received), 0);
    end_future(received);
    rondo_future *sent = sendall(loop, fds[0], "still", 5);
    finish(loop, sent);
    expect_result(sent, NULL);
    end_future(sent);
    CHECK_EQ_INT(read(fds[1], buffer, sizeof buffer), 5);
    close_pair(fds);
    kit_loop_end(loop);
}

KIT_TEST(sendall_at_once)
{
    rondo_loop *loop = kit_loop();
    char buffer[8];
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = sendall(loop, fds[0], "hello", 5);
    CHECK_EQ_INT(rondo_future_is_done(future), 1);
    expect_result(future, NULL);
    end_future(future);
    CHECK_EQ_INT(read(fds[1], buffer, sizeof buffer), 5);
    CHECK_EQ_INT(memcmp(buffer, "hello", 5), 0);
    future = sendall(loop, fds[0], "", 0); /* nothing is sent, and that is done */
    finish(loop, future);
    expect_result(future, NULL);
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}

static unsigned char byte_at(size_t offset)
{
    return (unsigned char)((offset * 31 + (offset >> 8)) & 0xff);
}

struct transfer {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_future *pending;
    unsigned char *data;
    size_t size, at, limit;
    int fd, reads;
};

RONDO_STEP(receiver)
{
    struct transfer *self = frame;
    RONDO_BEGIN(self);
    for (;;) {
        self->pending = recv_into(self->loop, self->fd, self->data, self->limit);
        RONDO_AWAIT_MOVED(self, self->pending);
        size_t count = (size_t)(intptr_t)sent;
        if (count == 0)
            break;
        CHECK(count <= self->limit);
        for (size_t i = 0; i < count; i++)
            if (self->data[i] != byte_at(self->at + i))
                kit_fail(__FILE__, __LINE__, "byte %zu is wrong", self->at + i);
        self->at += count;
        self->reads++;
    }
    RONDO_END(self);
}

RONDO_STEP(sender)
{
    struct transfer *self = frame;
    RONDO_BEGIN(self);
    self->pending = sendall(self->loop, self->fd, self->data, self->size);
    RONDO_AWAIT_MOVED(self, self->pending);
    CHECK_EQ_INT(shutdown(self->fd, SHUT_WR), 0);
    RONDO_END(self);
}

/* Send size bytes from fds[0] to fds[1], both ends coroutines of one loop; verify each byte. */
static void transfer(int fds[2], size_t size, size_t limit)
{
    rondo_loop *loop = kit_loop();
    unsigned char *data = malloc(size), *buffer = malloc(limit);
    for (size_t i = 0; i < size; i++)
        data[i] = byte_at(i);
    struct transfer in = { .loop = loop, .fd = fds[1], .data = buffer, .limit = limit };
    struct transfer out = { .loop = loop, .fd = fds[0], .data = data, .size = size };
    rondo_task *tasks[2];
    CHECK_OK(rondo_loop_spawn(loop, receiver, &in, NULL, NULL, &tasks[0]));
    CHECK_OK(rondo_loop_spawn(loop, sender, &out, NULL, NULL, &tasks[1]));
    run_until_done(loop, tasks[0]);
    expect_result(as_future(tasks[0]), NULL);
    expect_result(as_future(tasks[1]), NULL);
    CHECK_EQ_INT(in.at, size);
    CHECK(in.reads > 1);
    end_task(tasks[0]);
    end_task(tasks[1]);
    free(data);
    free(buffer);
    kit_loop_end(loop);
}

/* F06: a small send buffer: many partial writes, one completion, every byte in order. */
KIT_TEST(sendall_in_parts)
{
    int fds[2], small = 4096;
    kit_socketpair(fds);
    CHECK_EQ_INT(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    transfer(fds, 1000003, 777);
    close_pair(fds);
}

static void tcp_pair(int fds[2])
{
    uint16_t port = 0;
    int listener = kit_listener(&port);
    fds[0] = kit_connect(port);
    fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(fds[1] >= 0);
    CHECK_EQ_INT(fcntl(fds[0], F_SETFL, fcntl(fds[0], F_GETFL) | O_NONBLOCK), 0);
    close(listener);
}

KIT_TEST_WITHIN(ten_megabytes_over_loopback, 30)
{
    int fds[2];
    tcp_pair(fds);
    transfer(fds, 10u << 20, 65536);
    close_pair(fds);
}

/* Both directions of one descriptor at once, by two operations. */
KIT_TEST(recv_while_sending)
{
    rondo_loop *loop = kit_loop();
    static char data[1 << 20];
    char buffer[16];
    int fds[2];
    kit_socketpair(fds);
    rondo_future *sent = sendall(loop, fds[0], data, sizeof data);
    rondo_future *received = recv_into(loop, fds[0], buffer, sizeof buffer);
    expect_pending(sent);
    expect_pending(received);
    CHECK_EQ_INT(write(fds[1], "ping", 4), 4);
    finish(loop, received);
    CHECK_EQ_INT(count_of(received), 4);
    expect_pending(sent);
    for (size_t left = sizeof data; left > 0;) {
        ssize_t count = read(fds[1], data, sizeof data);
        if (count > 0)
            left -= (size_t)count;
        kit_pass(loop);
    }
    CHECK_EQ_INT(rondo_future_is_done(sent), 1);
    expect_result(sent, NULL);
    end_future(sent);
    end_future(received);
    close_pair(fds);
    kit_loop_end(loop);
}

/* ---- one at a time, and cancelling ---------------------------------------------------------- */

KIT_TEST(second_waiter_is_refused)
{
    rondo_loop *loop = kit_loop();
    static char data[1 << 20];
    char a[4], b[4];
    int fds[2];
    rondo_future *refused = NULL;
    kit_socketpair(fds);
    rondo_future *received = recv_into(loop, fds[0], a, sizeof a), *sent = sendall(loop, fds[0], data, sizeof data);
    CHECK_STATUS(rondo_loop_sock_recv(loop, fds[0], b, sizeof b, &refused), -EBUSY);
    CHECK_STATUS(rondo_loop_sock_recvfrom(loop, fds[0], b, sizeof b, NULL, NULL, &refused), -EBUSY);
    CHECK_STATUS(rondo_loop_sock_sendall(loop, fds[0], "x", 1, &refused), -EBUSY);
    CHECK_EQ_PTR(refused, NULL);
    CHECK_OK(rondo_future_cancel(sent, NULL, NULL));
    CHECK_EQ_INT(write(fds[1], "ok", 2), 2);
    finish(loop, received);
    CHECK_EQ_INT(count_of(received), 2);
    end_future(received);
    end_future(sent);
    close_pair(fds);
    kit_loop_end(loop);
}

/* I-03: cancelled, it lets go of the descriptor at once; the next one is not disturbed. */
KIT_TEST(I03_cancel_then_recv_again)
{
    rondo_loop *loop = kit_loop();
    char old[4] = "...", new[4] = "...";
    int fds[2];
    int32_t removed = 0;
    kit_socketpair(fds);
    rondo_future *first = recv_into(loop, fds[0], old, sizeof old);
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(first, "enough", NULL));
    expect_cancelled(first, "enough");
    CHECK_OK(rondo_loop_remove_reader(loop, fds[0], &removed));
    CHECK_EQ_INT(removed, 0); /* gone already */
    rondo_future *second = recv_into(loop, fds[0], new, sizeof new);
    CHECK_EQ_INT(write(fds[1], "abc", 3), 3);
    finish(loop, second);
    CHECK_EQ_INT(count_of(second), 3);
    CHECK_EQ_INT(memcmp(new, "abc", 3), 0);
    CHECK_EQ_STR(old, "...");
    end_future(first);
    end_future(second);
    close_pair(fds);
    kit_loop_end(loop);
}

/* Data came, but the pass that would read it has not run: nothing is lost. */
KIT_TEST(I03_cancel_is_lossless)
{
    rondo_loop *loop = kit_loop();
    char old[4] = "...", new[4] = "...";
    int fds[2];
    kit_socketpair(fds);
    rondo_future *first = recv_into(loop, fds[0], old, sizeof old);
    CHECK_EQ_INT(write(fds[1], "abc", 3), 3);
    CHECK_OK(rondo_future_cancel(first, NULL, NULL));
    rondo_future *second = recv_into(loop, fds[0], new, sizeof new);
    finish(loop, second);
    CHECK_EQ_INT(memcmp(new, "abc", 3), 0);
    CHECK_EQ_STR(old, "...");
    kit_pass(loop);
    end_future(first);
    end_future(second);
    close_pair(fds);
    kit_loop_end(loop);
}

/* I-03: cancelled, closed, and the number reused by another socket in the same pass. */
KIT_TEST(I03_cancel_then_the_number_is_reused)
{
    rondo_loop *loop = kit_loop();
    char old[4] = "...", new[4] = "...";
    int fds[2], again[2];
    kit_socketpair(fds);
    rondo_future *first = recv_into(loop, fds[0], old, sizeof old);
    kit_pass(loop);
    CHECK_EQ_INT(write(fds[1], "old", 3), 3);
    CHECK_OK(rondo_future_cancel(first, NULL, NULL));
    close_pair(fds);
    kit_socketpair(again);
    CHECK_EQ_INT(again[0], fds[0]);
    rondo_future *second = recv_into(loop, again[0], new, sizeof new);
    kit_pass(loop);
    expect_pending(second);
    CHECK_EQ_INT(write(again[1], "new", 3), 3);
    finish(loop, second);
    CHECK_EQ_INT(memcmp(new, "new", 3), 0);
    end_future(first);
    end_future(second);
    close_pair(again);
    kit_loop_end(loop);
}

RONDO_STEP(receives_step)
{
    struct transfer *self = frame;
    RONDO_BEGIN(self);
    self->pending = recv_into(self->loop, self->fd, self->data, self->limit);
    RONDO_TRY_AWAIT_MOVED(self, self->pending);
    self->pending = NULL;
    kit_log("%s", thrown == NULL ? "ok" : rondo_status_name(rondo_error_get_status(thrown)));
    return rondo_coroutine_raise(co, thrown);
    RONDO_END(self);
}

/* Through the task that awaits it. */
KIT_TEST(I03_cancel_the_task)
{
    rondo_loop *loop = kit_loop();
    unsigned char buffer[4] = "...";
    int fds[2];
    kit_socketpair(fds);
    struct transfer frame = { .loop = loop, .fd = fds[0], .data = buffer, .limit = 4 };
    rondo_task *task = NULL;
    CHECK_OK(rondo_loop_spawn(loop, receives_step, &frame, NULL, NULL, &task));
    kit_pass(loop);
    CHECK_OK(rondo_task_cancel(task, NULL, NULL));
    CHECK_EQ_INT(write(fds[1], "abc", 3), 3);
    run_until_done(loop, task);
    kit_expect_log("RONDO_E_CANCELLED");
    CHECK_EQ_STR((char *)buffer, "...");
    end_task(task);
    close_pair(fds);
    kit_loop_end(loop);
}

/* An operation whose future nobody keeps goes on; nothing writes to the buffer after close. */
KIT_TEST(released_operation)
{
    rondo_loop *loop = kit_loop();
    char buffer[4] = "...", other[4] = "...";
    int fds[2];
    kit_socketpair(fds);
    end_future(recv_into(loop, fds[0], buffer, sizeof buffer));
    CHECK_EQ_INT(write(fds[1], "abc", 3), 3);
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(memcmp(buffer, "abc", 3), 0);
    end_future(recv_into(loop, fds[0], other, sizeof other));
    kit_loop_drop(loop);
    CHECK_EQ_INT(write(fds[1], "xyz", 3), 3);
    CHECK_EQ_STR(other, "...");
    close_pair(fds);
}

/* ---- connections ---------------------------------------------------------------------------- */

static rondo_future *accept_on(rondo_loop *loop, int fd)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_sock_accept(loop, fd, NULL, NULL, &future));
    return future;
}

KIT_TEST(connect_and_accept)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int listener = kit_listener(&port), client = tcp_socket();
    struct sockaddr_in address = loopback(port), peer = { 0 }, own = { 0 };
    uint32_t peer_size = sizeof peer;
    socklen_t own_size = sizeof own;
    rondo_future *accepted = NULL, *connected = NULL;
    void *value = NULL;
    CHECK_OK(rondo_loop_sock_accept(loop, listener, (struct sockaddr *)&peer, &peer_size, &accepted));
    expect_pending(accepted);
    CHECK_OK(rondo_loop_sock_connect(loop, client, (struct sockaddr *)&address, sizeof address, &connected));
    memset(&address, 0, sizeof address); /* borrowed until it returned */
    finish(loop, connected);
    expect_result(connected, NULL);
    finish(loop, accepted);
    CHECK_OK(rondo_future_take_result(accepted, &value));
    int server = (int)(intptr_t)value;
    CHECK_EQ_INT(fcntl(server, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQ_INT(fcntl(server, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    CHECK_EQ_INT(getsockname(client, (struct sockaddr *)&own, &own_size), 0);
    CHECK_EQ_INT(peer_size, sizeof peer);
    CHECK_EQ_INT(peer.sin_port, own.sin_port);
    CHECK_EQ_INT(peer.sin_addr.s_addr, own.sin_addr.s_addr);
    end_future(accepted);
    end_future(connected);
    CHECK_EQ_INT(write(client, "x", 1), 1); /* taken: it was not closed */
    close(server);
    close(client);
    close(listener);
    kit_loop_end(loop);
}

/* The accepted descriptor is the future's: it is closed with it unless it was taken. */
KIT_TEST(accepted_and_not_taken)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int listener = kit_listener(&port), client = kit_connect(port);
    char byte;
    rondo_future *accepted = accept_on(loop, listener);
    finish(loop, accepted);
    int server = (int)count_of(accepted); /* borrowed */
    CHECK(fcntl(server, F_GETFD) >= 0);
    end_future(accepted);
    CHECK(fcntl(server, F_GETFD) < 0);
    CHECK_EQ_INT(read(client, &byte, 1), 0);
    close(client);
    close(listener);
    kit_loop_end(loop);
}

/* Zero is a descriptor like any other: as a value it is NULL and still must be closed. */
KIT_TEST(accepted_descriptor_zero)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 3), listener = kit_listener(&port);
    char byte;
    rondo_future *accepted = accept_on(loop, listener); /* the loop opens what it needs */
    kit_pass(loop);
    CHECK_OK(rondo_future_cancel(accepted, NULL, NULL));
    end_future(accepted);
    int client = kit_connect(port);
    close(0);
    accepted = accept_on(loop, listener);
    finish(loop, accepted);
    intptr_t got = count_of(accepted);
    end_future(accepted);
    int left = fcntl(0, F_GETFD);
    if (saved >= 0)
        CHECK_EQ_INT(dup2(saved, 0), 0);
    close(saved);
    CHECK_EQ_INT(got, 0);
    CHECK(left < 0);
    CHECK_EQ_INT(read(client, &byte, 1), 0);
    close(client);
    close(listener);
    kit_loop_end(loop);
}

struct server {
    RONDO_FRAME;
    rondo_loop *loop;
    int listener, taken, take;
};

RONDO_STEP(accepts_step)
{
    struct server *self = frame;
    RONDO_BEGIN(self);
    RONDO_AWAIT_MOVED(self, accept_on(self->loop, self->listener));
    self->taken = (int)(intptr_t)sent;
    if (self->take) {
        void *value = NULL;
        CHECK_OK(rondo_coroutine_take_sent(co, &value));
        CHECK_EQ_INT((intptr_t)value, self->taken);
    }
    CHECK(fcntl(self->taken, F_GETFD) >= 0);
    RONDO_YIELD(self);
    CHECK_EQ_INT(fcntl(self->taken, F_GETFD) >= 0, self->take);
    RONDO_END(self);
}

/* In a coroutine: taken by take_sent, else closed when it suspends. */
KIT_TEST(accepted_in_a_coroutine)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int listener = kit_listener(&port);
    for (int take = 0; take < 2; take++) {
        struct server server = { .loop = loop, .listener = listener, .take = take };
        rondo_task *task = NULL;
        int client = kit_connect(port);
        CHECK_OK(rondo_loop_spawn(loop, accepts_step, &server, NULL, NULL, &task));
        run_until_done(loop, task);
        expect_result(as_future(task), NULL);
        end_task(task);
        if (take)
            close(server.taken);
        close(client);
    }
    close(listener);
    kit_loop_end(loop);
}

/* Cancelled, it leaves the connection in the queue for the next one. */
KIT_TEST(cancel_an_accept)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int listener = kit_listener(&port);
    rondo_future *first = accept_on(loop, listener);
    kit_pass(loop);
    int client = kit_connect(port);
    CHECK_OK(rondo_future_cancel(first, NULL, NULL));
    rondo_future *second = accept_on(loop, listener);
    finish(loop, second);
    CHECK(count_of(second) >= 0);
    end_future(first);
    end_future(second);
    close(client);
    close(listener);
    kit_loop_end(loop);
}

/* I-05: refused: ECONNREFUSED as the future's exception. */
KIT_TEST(I05_connect_refused)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int listener = kit_listener(&port), client = tcp_socket();
    struct sockaddr_in address = loopback(port);
    struct sockaddr_in own = loopback(0);
    rondo_future *connected = NULL;
    CHECK_EQ_INT(bind(client, (struct sockaddr *)&own, sizeof own), 0); /* not by chance the same port */
    close(listener); /* nobody listens there now */
    CHECK_OK(rondo_loop_sock_connect(loop, client, (struct sockaddr *)&address, sizeof address, &connected));
    finish(loop, connected);
    expect_posix(connected, ECONNREFUSED, "connect");
    end_future(connected);
    close(client);
    kit_loop_end(loop);
}

/* A connect that cannot finish is cancelled; its descriptor is closed, its number used again. */
KIT_TEST(I03_cancel_a_connect)
{
    rondo_loop *loop = kit_loop();
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int listener = tcp_socket(), clients[16];
    rondo_future *futures[16], *pending = NULL;
    int count = 0;
    CHECK_EQ_INT(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ_INT(listen(listener, 0), 0);
    CHECK_EQ_INT(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    for (; count < 16 && pending == NULL; count++) { /* fill its queue */
        clients[count] = tcp_socket();
        CHECK_OK(rondo_loop_sock_connect(loop, clients[count], (struct sockaddr *)&address, sizeof address,
                                         &futures[count]));
        for (int i = 0; i < 50 && !rondo_future_is_done(futures[count]); i++)
            kit_pass(loop);
        if (!rondo_future_is_done(futures[count]))
            pending = futures[count];
    }
    CHECK(pending != NULL);
    CHECK_OK(rondo_future_cancel(pending, NULL, NULL));
    expect_cancelled(pending, NULL);
    int fd = clients[count - 1], fds[2];
    char byte;
    close(fd);
    kit_socketpair(fds);
    CHECK_EQ_INT(fds[0], fd);
    rondo_future *received = recv_into(loop, fds[0], &byte, 1);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    finish(loop, received);
    CHECK_EQ_INT(count_of(received), 1);
    end_future(received);
    close_pair(fds);
    for (int i = 0; i < count; i++) {
        end_future(futures[i]);
        if (i < count - 1)
            close(clients[i]);
    }
    close(listener);
    kit_loop_end(loop);
}

/* ---- datagrams ------------------------------------------------------------------------------ */

static int udp_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = loopback(0);
    CHECK(fd >= 0);
    CHECK_EQ_INT(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    CHECK_EQ_INT(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

/* Each datagram by itself, the empty one too, with its sender. */
KIT_TEST(F24_datagrams)
{
    static const size_t sizes[] = { 5, 0, 1, 1400 };
    rondo_loop *loop = kit_loop();
    struct sockaddr_in here, there, from;
    static char data[2000], buffer[2000];
    int a = udp_socket(&here), b = udp_socket(&there);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rondo_future *sent = NULL, *received = NULL;
        uint32_t size = sizeof from;
        memset(&from, 0, sizeof from);
        CHECK_OK(rondo_loop_sock_recvfrom(loop, b, buffer, sizeof buffer, (struct sockaddr *)&from, &size,
                                          &received));
        expect_pending(received);
        CHECK_OK(rondo_loop_sock_sendto(loop, a, data, sizes[i], (struct sockaddr *)&there, sizeof there, &sent));
        finish(loop, sent);
        CHECK_EQ_INT(count_of(sent), sizes[i]);
        finish(loop, received);
        CHECK_EQ_INT(count_of(received), sizes[i]);
        CHECK_EQ_INT(size, sizeof from);
        CHECK_EQ_INT(from.sin_port, here.sin_port);
        end_future(sent);
        end_future(received);
    }
    close(a);
    close(b);
    kit_loop_end(loop);
}

KIT_TEST(F24_datagram_too_large)
{
    rondo_loop *loop = kit_loop();
    struct sockaddr_in here, there;
    static char data[70000];
    int a = udp_socket(&here), b = udp_socket(&there);
    rondo_future *sent = NULL;
    CHECK_OK(rondo_loop_sock_sendto(loop, a, data, sizeof data, (struct sockaddr *)&there, sizeof there, &sent));
    finish(loop, sent);
    expect_posix(sent, EMSGSIZE, "sendto");
    end_future(sent);
    close(a);
    close(b);
    kit_loop_end(loop);
}

/* The sender is not asked for; on a connected socket no receiver is named. */
KIT_TEST(datagrams_without_addresses)
{
    rondo_loop *loop = kit_loop();
    struct sockaddr_in here, there;
    char buffer[4];
    int a = udp_socket(&here), b = udp_socket(&there);
    rondo_future *sent = NULL, *received = NULL;
    CHECK_EQ_INT(connect(a, (struct sockaddr *)&there, sizeof there), 0);
    CHECK_OK(rondo_loop_sock_sendto(loop, a, "hi", 2, NULL, 0, &sent));
    CHECK_OK(rondo_loop_sock_recvfrom(loop, b, buffer, sizeof buffer, NULL, NULL, &received));
    finish(loop, sent);
    finish(loop, received);
    CHECK_EQ_INT(count_of(sent), 2);
    CHECK_EQ_INT(count_of(received), 2);
    end_future(sent);
    end_future(received);
    close(a);
    close(b);
    kit_loop_end(loop);
}

/* ---- errors --------------------------------------------------------------------------------- */

/* The peer resets: ECONNRESET for the reader. */
KIT_TEST(reset_by_the_peer)
{
    rondo_loop *loop = kit_loop();
    struct linger now = { 1, 0 };
    char buffer[4];
    int fds[2];
    tcp_pair(fds);
    rondo_future *future = recv_into(loop, fds[0], buffer, sizeof buffer);
    kit_pass(loop);
    CHECK_EQ_INT(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fds[1]);
    finish(loop, future);
    expect_posix(future, ECONNRESET, "recv");
    end_future(future);
    close(fds[0]);
    kit_loop_end(loop);
}

/* F14: EPIPE, and no SIGPIPE: the process goes on, its disposition is what it was. */
KIT_TEST(F14_peer_has_closed)
{
    rondo_loop *loop = kit_loop();
    int fds[2];
    kit_socketpair(fds);
    close(fds[1]);
    rondo_future *future = sendall(loop, fds[0], "x", 1);
    finish(loop, future);
    expect_posix(future, EPIPE, "send");
    end_future(future);
    close(fds[0]);
    kit_loop_end(loop);
}

KIT_TEST(what_is_refused)
{
    rondo_loop *loop = kit_loop();
    struct sockaddr_in address = loopback(1);
    rondo_future *future = NULL;
    char buffer[4];
    uint16_t port = 0;
    int fds[2], listener = kit_listener(&port), blocking = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    kit_socketpair(fds);
    CHECK_STATUS(rondo_loop_sock_recv(loop, -1, buffer, 4, &future), -EBADF);
    CHECK_STATUS(rondo_loop_sock_sendall(loop, 1 << 30, "x", 1, &future), -EBADF);
    CHECK_STATUS(rondo_loop_sock_recv(loop, fds[0], NULL, 4, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_sock_sendall(loop, fds[0], NULL, 4, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_sock_connect(loop, blocking, (struct sockaddr *)&address, sizeof address, &future),
                 -EINVAL);
    CHECK_STATUS(rondo_loop_sock_accept(loop, blocking, NULL, NULL, &future), -EINVAL);
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_sock_recv(loop, fds[0], buffer, 4, &future), RONDO_E_LOOP_CLOSED);
    CHECK_STATUS(rondo_loop_sock_accept(loop, listener, NULL, NULL, &future), RONDO_E_LOOP_CLOSED);
    CHECK_EQ_PTR(future, NULL);
    close_pair(fds);
    close(listener);
    close(blocking);
    CHECK_OK(rondo_loop_release(loop));
}

/* The operation is the library's to complete. */
KIT_TEST(K07_operations_complete_by_themselves)
{
    rondo_loop *loop = kit_loop();
    char buffer[4];
    int fds[2];
    kit_socketpair(fds);
    rondo_future *future = recv_into(loop, fds[0], buffer, sizeof buffer);
    rondo_error *error = kit_error(1, "one");
    CHECK_STATUS(rondo_future_set_result(future, NULL, NULL), RONDO_E_RUNTIME);
    CHECK_STATUS(rondo_future_set_exception(future, error), RONDO_E_RUNTIME);
    expect_pending(future);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_OK(rondo_error_release(error));
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}

/* A blocking descriptor of the caller stays blocking, and the loop does not block on it. */
KIT_TEST(blocking_descriptors)
{
    rondo_loop *loop = kit_loop();
    char buffer[4];
    int fds[2];
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    rondo_future *future = recv_into(loop, fds[0], buffer, sizeof buffer);
    expect_pending(future);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    finish(loop, future);
    CHECK_EQ_INT(count_of(future), 1);
    CHECK_EQ_INT(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    end_future(future);
    close_pair(fds);
    kit_loop_end(loop);
}
