/*
 * step10_debug.c - the tutorial, step 10: step 9 with a mistake in it, which debug mode finds.
 *
 * Nobody ever waits for a seat. Run it with RONDO_DEBUG=1 and read where that comes from.
 *
 * Without an argument three guests of the program's own come, and the last one presses
 * Control-C. With a port it serves whoever comes, until you do.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <rondo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define GUESTS 3
#define SEATS 2
#define PATIENCE (300 * MS)

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
    int ended;            /* the peer sends no more */
    const char *farewell; /* NULL, or what to say before we hang up */
    rondo_cancel_scope *scope;
    rondo_error *left; /* what left the scope */
};

static void connection_drop(void *frame)
{
    struct connection *self = frame;
    free(self->text);
    rondo_cancel_scope_release(self->scope); /* NULL, unless it ends inside of a scope */
    rondo_error_release(self->left);
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

/* [reading] */
/* Answers until the peer sends no more, or nothing for too long, or the house closes. */
RONDO_STEP(connection_step)
{
    struct connection *self = frame;
    rondo_loop *loop = rondo_running_loop();
    rondo_cancel_scope_options shield = { .size = sizeof shield,
                                          .flags = RONDO_CANCEL_SCOPE_SHIELD };
    rondo_future *io = NULL;
    void *text = NULL;
    RONDO_BEGIN(self);
    for (;;) {
        self->size = 0;
        RONDO_MOVE_ON_AFTER(self, self->scope, loop, PATIENCE);
        RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->buffer,
                                         sizeof self->buffer - 1, &io), "recv");
        RONDO_AWAIT_MOVED_IN(self, reading, io);
        self->size = (size_t)(intptr_t)sent;
        self->ended = self->size == 0;
        RONDO_TRY_CANCEL_SCOPE_EXIT(self, reading, self->scope, self->left);
        if (self->ended)
            RONDO_RETURN(NULL);
        if (self->left != NULL && rondo_error_get_status(self->left) != RONDO_E_CANCELLED)
            return broken(co, self->left);
        if (self->size == 0)
            break;

        /* [answering] */
        self->buffer[self->size] = '\0';
        RONDO_CANCEL_SCOPE_ENTER(self, self->scope, loop, &shield);
        RONDO_CHECK(shout(loop, self->buffer, &io), "shout");
        RONDO_AWAIT_MOVED_IN(self, answering, io);
        RONDO_CHECK(rondo_coroutine_take_sent(co, &text), "shout");
        self->text = text;
        RONDO_CHECK(rondo_loop_sock_sendall(loop, self->fd, self->text,
                                            strlen(self->text), &io), "send");
        RONDO_AWAIT_MOVED_IN(self, answering, io);
        RONDO_TRY_CANCEL_SCOPE_EXIT(self, answering, self->scope, self->left);
        if (self->left != NULL)
            return broken(co, self->left);
        free(self->text);
        self->text = NULL;
    }

    /* [farewell] */
    self->farewell = self->left == NULL ? "are you asleep?" : rondo_error_get_message(self->left);
    RONDO_CANCEL_SCOPE_ENTER(self, self->scope, loop, &shield);
    RONDO_CHECK(rondo_loop_sock_sendall(loop, self->fd, self->farewell,
                                        strlen(self->farewell), &io), "send");
    RONDO_AWAIT_MOVED_IN(self, leaving, io);
    RONDO_CANCEL_SCOPE_EXIT(self, leaving, self->scope);
    if (self->left != NULL)
        return rondo_coroutine_raise(co, self->left);
    RONDO_END(self);
}

/* [guest] */
struct guest {
    RONDO_FRAME;
    const struct sockaddr_in *address;
    const char *name, *word; /* the word may be NULL */
    int stays, signal;       /* waits until the server hangs up; raises a signal before that */
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
    if (self->word != NULL) {
        RONDO_CHECK(rondo_loop_sock_sendall(loop, self->fd, self->word,
                                            strlen(self->word), &io), "send");
        RONDO_AWAIT_MOVED(self, io);
        while (self->got < strlen(self->word)) {
            RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->answer + self->got,
                                             sizeof self->answer - 1 - self->got, &io), "recv");
            RONDO_AWAIT_MOVED(self, io);
            if (sent == NULL)
                RONDO_RAISE(1, "the server hung up");
            self->got += (size_t)(intptr_t)sent;
        }
        printf("%s got: %s\n", self->name, self->answer);
    }
    if (self->signal != 0)
        raise(self->signal);
    memset(self->answer, 0, sizeof self->answer);
    for (self->got = 0; self->stays && self->got < sizeof self->answer - 1;) {
        RONDO_CHECK(rondo_loop_sock_recv(loop, self->fd, self->answer + self->got,
                                         sizeof self->answer - 1 - self->got, &io), "recv");
        RONDO_AWAIT_MOVED(self, io);
        if (sent == NULL)
            break;
        self->got += (size_t)(intptr_t)sent;
    }
    if (self->stays)
        printf("%s was told: %s\n", self->name, self->answer);
    RONDO_END(self);
}

/* [evening] */
/* One guest after the other. */
struct evening {
    RONDO_FRAME;
    struct guest guests[GUESTS];
    int i;
};

RONDO_STEP(evening_step)
{
    struct evening *self = frame;
    rondo_coroutine *visit = NULL;
    RONDO_BEGIN(self);
    for (self->i = 0; self->i < GUESTS; self->i++) {
        RONDO_CHECK(rondo_coroutine_new("guest", guest_step, &self->guests[self->i],
                                        guest_drop, &visit), "guest");
        RONDO_AWAIT(self, visit);
    }
    RONDO_END(self);
}

/* [main] */
struct main_frame {
    RONDO_FRAME;
    int listener, invited; /* 0 invited: open for everybody */
    struct sockaddr_in address;
    struct server server;
    rondo_cancel_scope *service;
    rondo_task_group *group;
    rondo_error *error, *left; /* what ended the accepting, what left the service */
    struct evening evening;
    rondo_task *visits;
};

static void main_drop(void *frame)
{
    struct main_frame *self = frame;
    rondo_task_release(self->visits);
    rondo_task_group_release(self->group); /* NULL, unless main ends inside of the part */
    rondo_cancel_scope_release(self->service);
    rondo_error_release(self->error);
    rondo_error_release(self->left);
    rondo_semaphore_release(self->server.seats);
    if (self->listener >= 0)
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
static rondo_status invite(struct main_frame *self)
{
    self->evening = (struct evening){ .guests = {
        { .address = &self->address, .fd = -1, .name = "anna", .word = "hello" },
        { .address = &self->address, .fd = -1, .name = "bert", .stays = 1 },
        { .address = &self->address, .fd = -1, .name = "carla", .word = "rondo",
          .stays = 1, .signal = SIGINT },
    } };
    return rondo_loop_spawn(rondo_running_loop(), evening_step, &self->evening, NULL,
                            NULL, &self->visits);
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
    if (self->invited != 0)
        RONDO_CHECK(invite(self), "invite");

    RONDO_CANCEL_SCOPE_ENTER(self, self->service, loop, NULL);
    RONDO_TASK_GROUP_ENTER(self, self->group, loop);
    for (;;) {
        RONDO_CHECK(rondo_semaphore_acquire(self->server.seats, &acquire), "acquire");
        RONDO_CHECK(rondo_coroutine_release(acquire), "acquire");
        RONDO_CHECK(rondo_loop_sock_accept(loop, self->listener, NULL, NULL, &io),
                    "accept");
        RONDO_AWAIT_MOVED_IN(self, accepting, io);
        RONDO_CHECK(rondo_coroutine_take_sent(co, &fd), "accept");
        RONDO_CHECK(seat(self, (int)(intptr_t)fd), "seat");
    }

    /* [closing] */
    RONDO_FINALLY(self, accepting, self->error);
    printf("closing; guests who are still here: %d\n", self->server.open);
    close(self->listener);
    self->listener = -1;
    RONDO_CHECK(rondo_cancel_scope_cancel_here(self->service, "the house closes"),
                "closing");
    thrown = NULL;
    RONDO_TRY_TASK_GROUP_EXIT(self, serving, self->group);
    RONDO_TRY_CANCEL_SCOPE_EXIT(self, service, self->service, self->left);
    if (self->visits != NULL)
        RONDO_TRY_AWAIT(self, self->visits);
    printf("closed; guests who are still here: %d\n", self->server.open);
    RONDO_END_FINALLY(self, self->error);
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
    if (status == RONDO_E_INTERRUPTED) /* Control-C is how this program ends */
        status = RONDO_OK;
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", status == RONDO_E_RAISED
                               ? rondo_error_get_message(error)
                               : rondo_status_message(status));
    rondo_error_release(error);
    return status == RONDO_OK ? 0 : 1;
}
/* [end] */
