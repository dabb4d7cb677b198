/*
 * step8_executor.c - the tutorial, step 8: shouting is a function that blocks, so other threads do it.
 *
 * Without an argument three guests of the program's own come, and it ends. With a port it serves
 * whoever comes, until Control-C.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define GUESTS 3
#define SEATS 2

/* [blocking] */
/* A copy of the word in capitals, for free(). It takes its time, and its caller waits. */
static char *shout_aloud(const char *word)
{
    struct timespec breath = { .tv_nsec = 2 * MS * (long)strlen(word) };
    char *text = strdup(word);
    if (text == NULL)
        return NULL;
    nanosleep(&breath, NULL);
    for (char *p = text; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return text;
}

/* [job] */
/* In a thread of the executor. */
static rondo_status shout_job(rondo_job *job, void *arg)
{
    char *text = shout_aloud(arg);
    return text == NULL ? -ENOMEM : rondo_job_return(job, text, free);
}

/* [future] */
/* The word is copied, because the job may outlive whoever asked for it. */
static rondo_status shout(rondo_loop *loop, const char *word, rondo_future **out_future)
{
    char *copy = strdup(word);
    if (copy == NULL)
        return -ENOMEM;
    return rondo_loop_run_in_executor(loop, NULL, NULL, shout_job, copy, free,
                                      out_future);
}

/* [connection] */
/* What the connections have in common. */
struct server {
    rondo_semaphore *seats;
    int open, most;
};

struct connection {
    RONDO_FRAME;
    struct server *server; /* borrowed: main outlives the group's tasks */
    int fd;
    size_t size; /* of what came last */
    char *text;  /* the answer, while it is sent */
    char buffer[256];
};

static void connection_drop(void *frame)
{
    struct connection *self = frame;
    free(self->text);
    close(self->fd);
    self->server->open--;
    rondo_semaphore_post(self->server->seats);
}

/* A connection that fails is its guest's trouble; a cancellation goes on, as always. */
static rondo_step broken(rondo_coroutine *co, rondo_error *error)
{
    if (rondo_error_get_status(error) == RONDO_E_CANCELLED)
        return rondo_coroutine_raise(co, error);
    fprintf(stderr, "a connection failed: %s\n", rondo_error_get_message(error));
    return RONDO_STEP_RETURN;
}

/* Answers until the peer sends no more. */
RONDO_STEP(connection_step)
{
    struct connection *self = frame;
    rondo_loop *loop = rondo_running_loop();
    rondo_future *io = NULL;
    void *text = NULL;
    RONDO_BEGIN(self);
    for (;;) {
        RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->buffer,
                                         sizeof self->buffer - 1, &io), "recv");
        RONDO_TRY_AWAIT_MOVED(self, io);
        if (thrown != NULL)
            return broken(co, thrown);
        self->size = (size_t)(intptr_t)sent;
        if (self->size == 0)
            break;
        self->buffer[self->size] = '\0';
        RONDO_CHECK(shout(loop, self->buffer, &io), "shout");
        RONDO_AWAIT_MOVED(self, io);
        RONDO_CHECK(rondo_coroutine_take_sent(co, &text), "shout");
        self->text = text;
        RONDO_CHECK(rondo_loop_sock_sendall(loop, self->fd, self->text,
                                            strlen(self->text), &io), "send");
        RONDO_TRY_AWAIT_MOVED(self, io);
        if (thrown != NULL)
            return broken(co, thrown);
        free(self->text);
        self->text = NULL;
    }
    RONDO_END(self);
}

/* [guest] */
struct guest {
    RONDO_FRAME;
    const struct sockaddr_in *address;
    const char *word;
    int fd;
    size_t got;
    char answer[64];
};

static void guest_drop(void *frame)
{
    struct guest *self = frame;
    if (self->fd >= 0)
        close(self->fd);
}

/* Connects, says its word, and reads until it has as much as it has sent. */
RONDO_STEP(guest_step)
{
    struct guest *self = frame;
    rondo_loop *loop = rondo_running_loop();
    rondo_future *io = NULL;
    RONDO_BEGIN(self);
    self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    RONDO_CHECK(rondo_loop_sock_connect(loop, self->fd,
                                        (const struct sockaddr *)self->address,
                                        sizeof *self->address, &io), "connect");
    RONDO_AWAIT_MOVED(self, io);
    RONDO_CHECK(rondo_loop_sock_sendall(loop, self->fd, self->word, strlen(self->word),
                                        &io), "send");
    RONDO_AWAIT_MOVED(self, io);
    while (self->got < strlen(self->word)) {
        RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->answer + self->got,
                                         sizeof self->answer - 1 - self->got, &io), "recv");
        RONDO_AWAIT_MOVED(self, io);
        if (sent == NULL)
            RONDO_RAISE(1, "the server hung up");
        self->got += (size_t)(intptr_t)sent;
    }
    RONDO_RETURN(self->answer);
    RONDO_END(self);
}

/* [main] */
struct main_frame {
    RONDO_FRAME;
    int listener, invited; /* 0 invited: open for everybody */
    struct sockaddr_in address;
    struct server server;
    rondo_task_group *group;
    struct guest guests[GUESTS];
    rondo_task *visits[GUESTS];
    int i;
};

static void main_drop(void *frame)
{
    struct main_frame *self = frame;
    for (int i = 0; i < GUESTS; i++)
        rondo_task_release(self->visits[i]);
    rondo_task_group_release(self->group); /* NULL, unless main ends inside of the part */
    rondo_semaphore_release(self->server.seats);
    close(self->listener);
}

/* [seat] */
/* A task of the group for this connection, which has the seat that was taken from here on. */
static rondo_status seat(struct main_frame *self, int fd)
{
    rondo_coroutine *coroutine = NULL;
    void *frame = NULL;
    rondo_status status = rondo_coroutine_new_with_frame("connection", connection_step,
                                                         sizeof(struct connection), connection_drop,
                                                         &frame, &coroutine);
    if (status != RONDO_OK) {
        close(fd);
        return status;
    }
    struct connection *connection = frame;
    connection->server = &self->server;
    connection->fd = fd;
    self->server.open++;
    if (self->server.open > self->server.most)
        self->server.most = self->server.open;
    return rondo_task_group_create_task(self->group, coroutine, NULL, NULL);
}

/* [invite] */
static rondo_status invite(struct main_frame *self, int i)
{
    static const char *const words[GUESTS] = { "hello", "wonderful", "rondo" };
    self->guests[i] = (struct guest){ .address = &self->address, .word = words[i],
                                      .fd = -1 };
    return rondo_loop_spawn(rondo_running_loop(), guest_step, &self->guests[i],
                            guest_drop, NULL, &self->visits[i]);
}

/* [accept] */
RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    rondo_loop *loop = rondo_running_loop();
    rondo_future *io = NULL;
    rondo_coroutine *acquire = NULL;
    void *fd = NULL;
    RONDO_BEGIN(self);
    RONDO_CHECK(rondo_semaphore_new(loop, SEATS, RONDO_SEMAPHORE_BOUNDED,
                                    &self->server.seats), "seats");
    for (int i = 0; i < self->invited; i++)
        RONDO_CHECK(invite(self, i), "invite");

    RONDO_TASK_GROUP_ENTER(self, self->group, loop);
    for (self->i = 0; self->invited == 0 || self->i < self->invited; self->i++) {
        RONDO_CHECK(rondo_semaphore_acquire(self->server.seats, &acquire), "acquire");
        RONDO_AWAIT_IN(self, serving, acquire);
        RONDO_CHECK(rondo_loop_sock_accept(loop, self->listener, NULL, NULL, &io),
                    "accept");
        RONDO_AWAIT_MOVED_IN(self, serving, io);
        RONDO_CHECK(rondo_coroutine_take_sent(co, &fd), "accept");
        RONDO_CHECK(seat(self, (int)(intptr_t)fd), "seat");
    }
    RONDO_TASK_GROUP_EXIT(self, serving, self->group);

    for (self->i = 0; self->i < self->invited; self->i++) {
        RONDO_AWAIT(self, self->visits[self->i]);
        printf("guest %d got: %s\n", self->i, (char *)sent);
    }
    printf("everybody has gone; there were never more than %d at a time\n",
           self->server.most);
    RONDO_END(self);
}

/* [listen] */
/* Listens on loopback; writes the address, of which the port may have been 0.
 * Returns the socket or -1. */
static int listen_on(uint16_t port, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, (struct sockaddr *)address, size) == 0 && listen(fd, 128) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &size) == 0)
        return fd;
    perror("listen");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* [run] */
int main(int argc, char **argv)
{
    struct main_frame frame = { .invited = argc > 1 ? 0 : GUESTS };
    rondo_coroutine *coroutine = NULL;
    rondo_error *error = NULL;
    rondo_status status;

    frame.listener = listen_on(argc > 1 ? (uint16_t)atoi(argv[1]) : 0, &frame.address);
    if (frame.listener < 0)
        return 1;
    if (argc > 1)
        printf("listening on 127.0.0.1:%u\n", ntohs(frame.address.sin_port));
    fflush(stdout);
    status = rondo_coroutine_new("main", main_step, &frame, main_drop, &coroutine);
    if (status == RONDO_OK)
        status = rondo_run(coroutine, NULL, NULL, &error);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", status == RONDO_E_RAISED
                               ? rondo_error_get_message(error)
                               : rondo_status_message(status));
    rondo_error_release(error);
    return status == RONDO_OK ? 0 : 1;
}
/* [end] */
