/*
 * faults.c - system calls that fail, are interrupted or do half of the work (F01, F02, F06, F09,
 * F10), and clocks that jump or stand still (F35, F36).
 *
 * This program's own epoll_wait() and so on take the place of libc's for the library; for
 * everybody else they are the plain system calls.
 */
#define _GNU_SOURCE
#include "kit.h"

#if KIT_SANITIZED

KIT_TEST(faults)
{
    kit_skip("a sanitizer has functions of its own in these places");
}

#else

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* ---- the injector ---------------------------------------------------------------------------- */

enum call {
    EPOLL_WAIT, EPOLL_CTL, EPOLL_CREATE, EVENTFD, TIMERFD, READ, WRITE, RECV, SEND, ACCEPT, CONNECT,
    CALLS
};

static struct {
    int code;       /* the errno to fail with */
    long next;      /* the next so many calls fail */
    int percent;    /* and of the others, so many in a hundred */
    size_t cut;     /* do at most so many bytes, if not 0 */
    long calls, failed;
} faults[CALLS];

static uint32_t seed = 20240607;

static void clear_faults(void)
{
    memset(faults, 0, sizeof faults);
}

static void fail_next(enum call call, int code, long count)
{
    faults[call].code = code;
    faults[call].next = count;
}

static bool refuse(enum call call, const void *caller)
{
    if (!kit_is_library(caller))
        return false;
    faults[call].calls++;
    seed = seed * 1664525 + 1013904223;
    if (faults[call].next > 0)
        faults[call].next--;
    else if ((int)((seed >> 16) % 100) >= faults[call].percent)
        return false;
    faults[call].failed++;
    errno = faults[call].code;
    return true;
}

static size_t cut(enum call call, const void *caller, size_t size)
{
    if (!kit_is_library(caller) || faults[call].cut == 0 || size < faults[call].cut)
        return size;
    return faults[call].cut;
}

#define CALLER __builtin_return_address(0)

static int64_t last_wait_ns;
static long zero_waits;

static void note_wait(const void *caller, int64_t wait_ns)
{
    if (!kit_is_library(caller))
        return;
    last_wait_ns = wait_ns;
    zero_waits += wait_ns == 0;
}

int epoll_wait(int fd, struct epoll_event *events, int capacity, int timeout)
{
    note_wait(CALLER, timeout < 0 ? -1 : timeout * INT64_C(1000000));
    if (refuse(EPOLL_WAIT, CALLER))
        return -1;
    return (int)syscall(SYS_epoll_pwait, fd, events, capacity, timeout, NULL, 8);
}

static bool no_pwait2;

int epoll_pwait2(int fd, struct epoll_event *events, int capacity, const struct timespec *timeout,
                 const sigset_t *mask)
{
    if (no_pwait2) {
        errno = ENOSYS;
        return -1;
    }
    note_wait(CALLER, timeout == NULL ? -1 : timeout->tv_sec * INT64_C(1000000000) + timeout->tv_nsec);
    if (refuse(EPOLL_WAIT, CALLER))
        return -1;
    return (int)syscall(SYS_epoll_pwait2, fd, events, capacity, timeout, mask, 8);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    if (refuse(EPOLL_CTL, CALLER))
        return -1;
    return (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
}

int epoll_create1(int flags)
{
    return refuse(EPOLL_CREATE, CALLER) ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

int eventfd(unsigned initial, int flags)
{
    return refuse(EVENTFD, CALLER) ? -1 : (int)syscall(SYS_eventfd2, initial, flags);
}

int timerfd_create(clockid_t clock, int flags)
{
    return refuse(TIMERFD, CALLER) ? -1 : (int)syscall(SYS_timerfd_create, clock, flags);
}

ssize_t read(int fd, void *buffer, size_t size)
{
    return refuse(READ, CALLER) ? -1 : syscall(SYS_read, fd, buffer, cut(READ, CALLER, size));
}

ssize_t write(int fd, const void *data, size_t size)
{
    return refuse(WRITE, CALLER) ? -1 : syscall(SYS_write, fd, data, cut(WRITE, CALLER, size));
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags,
                 struct sockaddr *restrict address, socklen_t *restrict address_size)
{
    if (refuse(RECV, CALLER))
        return -1;
    return syscall(SYS_recvfrom, fd, buffer, cut(RECV, CALLER, size), flags, address, address_size);
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    if (refuse(RECV, CALLER))
        return -1;
    return syscall(SYS_recvfrom, fd, buffer, cut(RECV, CALLER, size), flags, NULL, NULL);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t address_size)
{
    if (refuse(SEND, CALLER))
        return -1;
    return syscall(SYS_sendto, fd, data, cut(SEND, CALLER, size), flags, address, address_size);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    if (refuse(SEND, CALLER))
        return -1;
    return syscall(SYS_sendto, fd, data, cut(SEND, CALLER, size), flags, NULL, 0);
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict address_size, int flags)
{
    return refuse(ACCEPT, CALLER) ? -1 : (int)syscall(SYS_accept4, fd, address, address_size, flags);
}

int connect(int fd, const struct sockaddr *address, socklen_t address_size)
{
    /* An interrupted connect goes on in the kernel: begin it and say EINTR. */
    bool interrupted = refuse(CONNECT, CALLER);
    int code = errno;
    int result = (int)syscall(SYS_connect, fd, address, address_size);
    if (!interrupted)
        return result;
    errno = code;
    return -1;
}

/* ---- the clock ------------------------------------------------------------------------------- */

static int64_t clock_jump;   /* added to the library's monotonic clock */
static int64_t clock_frozen; /* it stands still at this time, if not 0 */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (!kit_is_library(CALLER) || clock != CLOCK_MONOTONIC)
        return result;
    int64_t time = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + clock_jump;
    if (clock_frozen != 0)
        time = clock_frozen;
    now->tv_sec = time / 1000000000;
    now->tv_nsec = time % 1000000000;
    return result;
}

/* ---- F01: interrupted sleeps ----------------------------------------------------------------- */

struct timers {
    int64_t when[3];
    int next;
    rondo_loop *loop;
};

static void check_timer(void *arg)
{
    struct timers *timers = arg;
    CHECK(kit_now() >= timers->when[timers->next]);
    if (++timers->next == 3)
        CHECK_OK(rondo_loop_stop(timers->loop));
}

KIT_TEST(interrupted_sleep)
{
    struct timers timers = { .loop = kit_loop() };
    clear_faults();
    for (int i = 0; i < 3; i++) {
        timers.when[i] = kit_now() + (i + 1) * 3000000;
        CHECK_OK(rondo_loop_call_at(timers.loop, timers.when[i], check_timer, &timers, kit_drop, NULL));
    }
    fail_next(EPOLL_WAIT, EINTR, 10000);
    CHECK_OK(rondo_loop_run_forever(timers.loop));
    CHECK_EQ_INT(timers.next, 3);
    CHECK_EQ_INT(kit_drops, 3);
    CHECK(faults[EPOLL_WAIT].calls <= 10020);
    kit_loop_end(timers.loop);
    clear_faults();
}

/* ---- F02, F06: interrupted and partial transfers --------------------------------------------- */

struct stream {
    rondo_loop *loop;
    int fds[2];
    unsigned char *sent, *got;
    size_t size;
};

static unsigned char pattern(size_t index)
{
    return (unsigned char)(index * 31 + index / 251);
}

static struct stream make_stream(size_t size)
{
    struct stream stream = { .loop = kit_loop(), .size = size };
    kit_socketpair(stream.fds);
    stream.sent = malloc(size);
    stream.got = calloc(size, 1);
    for (size_t i = 0; i < size; i++)
        stream.sent[i] = pattern(i);
    return stream;
}

static intptr_t finish(rondo_loop *loop, rondo_future *future)
{
    void *value = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_result(future, &value));
    CHECK_OK(rondo_future_release(future));
    return (intptr_t)value;
}

static void transfer(struct stream *stream)
{
    rondo_future *sending = NULL, *receiving = NULL;
    size_t got = 0;
    CHECK_OK(rondo_loop_sock_sendall(stream->loop, stream->fds[0], stream->sent, stream->size, &sending));
    while (got < stream->size) {
        CHECK_OK(rondo_loop_sock_recv(stream->loop, stream->fds[1], stream->got + got,
                                      stream->size - got, &receiving));
        intptr_t count = finish(stream->loop, receiving);
        CHECK(count > 0);
        got += (size_t)count;
    }
    CHECK_EQ_INT(finish(stream->loop, sending), 0);
    CHECK(memcmp(stream->sent, stream->got, stream->size) == 0);
}

static void end_stream(struct stream *stream)
{
    kit_loop_end(stream->loop);
    close(stream->fds[0]);
    close(stream->fds[1]);
    free(stream->sent);
    free(stream->got);
}

KIT_TEST(interrupted_transfers)
{
    struct stream stream = make_stream(6000000);
    clear_faults();
    for (int call = READ; call <= SEND; call++) {
        faults[call].code = EINTR;
        faults[call].percent = 30;
    }
    transfer(&stream);
    CHECK(faults[READ].failed + faults[RECV].failed > 5);
    CHECK(faults[WRITE].failed + faults[SEND].failed > 5);
    clear_faults();
    end_stream(&stream);
}

KIT_TEST(partial_transfers)
{
    struct stream stream = make_stream(20000);
    clear_faults();
    faults[WRITE].cut = faults[SEND].cut = 7;
    faults[WRITE].code = faults[SEND].code = EAGAIN;
    faults[WRITE].percent = faults[SEND].percent = 30;
    faults[READ].cut = faults[RECV].cut = 13;
    transfer(&stream);
    CHECK(faults[WRITE].calls + faults[SEND].calls > 20000 / 7);
    clear_faults();
    end_stream(&stream);
}

/* accept is tried again; connect is not called twice but waited for. */
KIT_TEST(interrupted_accept_and_connect)
{
    rondo_loop *loop = kit_loop();
    uint16_t port = 0;
    int listener = kit_listener(&port);
    clear_faults();
    for (int i = 0; i < 20; i++) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
        rondo_future *accepting = NULL, *connecting = NULL;
        void *accepted = NULL;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        fail_next(ACCEPT, EINTR, 3);
        fail_next(CONNECT, EINTR, 1);
        faults[CONNECT].calls = 0;
        CHECK_OK(rondo_loop_sock_accept(loop, listener, NULL, NULL, &accepting));
        CHECK_OK(rondo_loop_sock_connect(loop, client, (struct sockaddr *)&address, sizeof address,
                                         &connecting));
        finish(loop, connecting);
        CHECK_EQ_INT(faults[CONNECT].calls, 1);
        CHECK_OK(rondo_loop_run_until_complete(loop, accepting, NULL));
        CHECK_OK(rondo_future_take_result(accepting, &accepted));
        CHECK_OK(rondo_future_release(accepting));
        CHECK((intptr_t)accepted > 2);
        close((int)(intptr_t)accepted);
        close(client);
    }
    CHECK(faults[ACCEPT].failed >= 60);
    clear_faults();
    close(listener);
    kit_loop_end(loop);
}

/* A transfer that fails for good is the future's exception, with the operation's name. */
KIT_TEST(failed_transfers)
{
    static const int codes[] = { ECONNRESET, EPIPE, ENOBUFS, EIO };
    struct stream stream = make_stream(100);
    clear_faults();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        rondo_future *future = NULL;
        rondo_error *error = NULL;
        fail_next(WRITE, codes[i], 1);
        fail_next(SEND, codes[i], 1);
        CHECK_OK(rondo_loop_sock_sendall(stream.loop, stream.fds[0], stream.sent, 100, &future));
        CHECK_OK(rondo_loop_run_until_complete(stream.loop, future, NULL));
        CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
        CHECK_OK(rondo_future_exception(future, &error));
        CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_POSIX);
        CHECK_EQ_INT(rondo_error_get_code(error), codes[i]);
        CHECK_EQ_INT(rondo_error_get_status(error), -codes[i]);
        CHECK(rondo_error_get_operation(error) != NULL);
        CHECK_OK(rondo_error_release(error));
        CHECK_OK(rondo_future_release(future));
        clear_faults();
    }
    transfer(&stream); /* the descriptor is as good as before */
    end_stream(&stream);
}

/* ---- F09: the kernel refuses a descriptor ---------------------------------------------------- */

static void log_reader(int32_t fd, void *arg)
{
    (void)fd;
    kit_log("%s", (const char *)arg);
}

KIT_TEST(epoll_ctl_fails)
{
    static const int codes[] = { EBADF, EPERM, ENOSPC, ENOMEM, EEXIST, ENOENT };
    rondo_loop *loop = kit_loop();
    int fds[2];
    int32_t removed = 7;
    kit_socketpair(fds);
    CHECK_EQ_INT(write(fds[1], "x", 1), 1);
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(loop);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        clear_faults();
        kit_drops = 0;
        fail_next(EPOLL_CTL, codes[i], 1);
        rondo_status status = rondo_loop_add_reader(loop, fds[0], log_reader, "r", kit_drop);
        if (codes[i] != EEXIST && codes[i] != ENOENT) /* those it may find its way around */
            CHECK_STATUS(status, -codes[i]);
        clear_faults();
        CHECK_EQ_INT(kit_drops, status == RONDO_OK ? 0 : 1);
        CHECK_OK(rondo_loop_remove_reader(loop, fds[0], &removed));
        CHECK_EQ_INT(removed, status == RONDO_OK);
        CHECK_OK(rondo_loop_add_reader(loop, fds[0], log_reader, "r", kit_drop));
        kit_pass(loop);
        kit_expect_log("r");
        /* A second interest that is refused leaves the first one alone. */
        kit_drops = 0;
        fail_next(EPOLL_CTL, codes[i], 1);
        status = rondo_loop_add_writer(loop, fds[0], log_reader, "w", kit_drop);
        clear_faults();
        CHECK_EQ_INT(kit_drops, status == RONDO_OK ? 0 : 1);
        kit_pass(loop);
        kit_expect_log(status == RONDO_OK ? "r w" : "r");
        CHECK_OK(rondo_loop_remove_writer(loop, fds[0], NULL));
        CHECK_OK(rondo_loop_remove_reader(loop, fds[0], NULL));
    }
    close(fds[0]);
    close(fds[1]);
    kit_loop_end(loop);
}

/* ---- F10: wake-ups --------------------------------------------------------------------------- */

KIT_TEST(many_posts_are_one_wake_up)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(loop);
    clear_faults();
    for (int i = 0; i < 1000; i++)
        CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, kit_drop, NULL));
    CHECK(faults[WRITE].calls <= 1);
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(kit_drops, 1000);
    kit_loop_end(loop);
}

/* Let the loop sleep first, so that the wake-up is needed. */
struct sleeper {
    rondo_loop *loop;
    atomic_int tid;
    pthread_t thread;
};

static void tell_tid(void *arg)
{
    atomic_store(&((struct sleeper *)arg)->tid, kit_tid());
}

static void *sleep_there(void *arg)
{
    struct sleeper *sleeper = arg;
    CHECK_OK(rondo_loop_call_soon_threadsafe(sleeper->loop, tell_tid, sleeper, NULL, NULL));
    CHECK_OK(rondo_loop_run_forever(sleeper->loop));
    kit_loop_end(sleeper->loop);
    return NULL;
}

static void start_sleeper(struct sleeper *sleeper)
{
    *sleeper = (struct sleeper){ .loop = kit_loop() };
    sleeper->thread = kit_thread_start(sleep_there, sleeper);
    while (atomic_load(&sleeper->tid) == 0)
        usleep(100);
    kit_wait_asleep(atomic_load(&sleeper->tid));
}

static void end_sleeper(struct sleeper *sleeper)
{
    CHECK_OK(rondo_loop_call_soon_threadsafe(sleeper->loop, kit_stop_call, sleeper->loop, NULL, NULL));
    kit_thread_join(sleeper->thread);
}

/* A wake-up that is forbidden is an error of the call: it never runs, its arg is dropped. */
KIT_TEST(wake_up_is_refused)
{
    struct sleeper sleeper;
    clear_faults();
    start_sleeper(&sleeper);
    for (int i = 1; i <= 3; i++) {
        fail_next(WRITE, EPERM, 1);
        CHECK_STATUS(rondo_loop_call_soon_threadsafe(sleeper.loop, kit_no_call, NULL, kit_drop, NULL),
                     -EPERM);
        CHECK_EQ_INT(kit_drops, i);
    }
    clear_faults();
    end_sleeper(&sleeper); /* and the next one works */
}

KIT_TEST(wake_up_is_interrupted)
{
    struct sleeper sleeper;
    struct kit_arg arg = { 0 };
    clear_faults();
    start_sleeper(&sleeper);
    fail_next(WRITE, EINTR, 5);
    CHECK_OK(rondo_loop_call_soon_threadsafe(sleeper.loop, kit_arg_call, &arg, kit_arg_drop, NULL));
    end_sleeper(&sleeper);
    CHECK_EQ_INT(arg.calls, 1);
    CHECK_EQ_INT(arg.drops, 1);
    CHECK_EQ_INT(faults[WRITE].failed, 5);
    clear_faults();
}

/* The counter is full: then it is readable, and that is all that is wanted. */
KIT_TEST(wake_up_counter_is_full)
{
    rondo_loop *loop = kit_loop();
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, NULL, NULL));
    kit_pass(loop);
    clear_faults();
    fail_next(WRITE, EAGAIN, 1);
    CHECK_OK(rondo_loop_call_soon_threadsafe(loop, kit_arg_call, NULL, kit_drop, NULL));
    kit_pass(loop);
    kit_pass(loop);
    CHECK_EQ_INT(kit_drops, 1);
    clear_faults();
    kit_loop_end(loop);
}

/* ---- no descriptors -------------------------------------------------------------------------- */

KIT_TEST(no_poller_to_be_had)
{
    static const enum call calls[] = { EPOLL_CREATE, EVENTFD, EPOLL_CTL };
    int fds[2];
    kit_socketpair(fds);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        rondo_loop *loop = kit_loop();
        int code = calls[i] == EPOLL_CTL ? ENOSPC : EMFILE;
        int32_t fd = -1;
        clear_faults();
        kit_drops = 0;
        fail_next(calls[i], code, 1);
        CHECK_STATUS(rondo_loop_run_forever(loop), -code);
        fail_next(calls[i], code, 1);
        CHECK_STATUS(rondo_loop_get_fd(loop, &fd), -code);
        CHECK_EQ_INT(fd, -1);
        fail_next(calls[i], code, 1);
        CHECK_STATUS(rondo_loop_add_reader(loop, fds[0], log_reader, "r", kit_drop), -code);
        CHECK_EQ_INT(kit_drops, 1);
        clear_faults();
        CHECK_OK(rondo_loop_call_soon(loop, kit_log_call, "alive", kit_drop, NULL));
        CHECK_OK(rondo_loop_add_writer(loop, fds[0], log_reader, "w", kit_drop));
        kit_pass(loop);
        kit_expect_log("alive w");
        CHECK_OK(rondo_loop_remove_writer(loop, fds[0], NULL));
        kit_loop_end(loop);
    }
    close(fds[0]);
    close(fds[1]);
}

KIT_TEST(no_timerfd_to_be_had)
{
    rondo_loop *loop = kit_loop();
    int32_t fd = -1;
    clear_faults();
    fail_next(TIMERFD, ENFILE, 1);
    rondo_status status = rondo_loop_get_fd(loop, &fd);
    CHECK(status == -ENFILE || status == RONDO_OK); /* it may be opened later, with the first timer */
    clear_faults();
    CHECK_OK(rondo_loop_get_fd(loop, &fd));
    CHECK_OK(rondo_loop_call_later(loop, 0, kit_log_call, "t", NULL, NULL));
    CHECK_OK(rondo_loop_drive(loop, 0, 0, NULL));
    kit_expect_log("t");
    kit_loop_end(loop);
}

/* The poll itself fails: the run ends with that, and the loop can be run again. */
KIT_TEST(poll_fails)
{
    rondo_loop *loop = kit_loop();
    clear_faults();
    fail_next(EPOLL_WAIT, EINVAL, 1);
    CHECK_OK(rondo_loop_call_later(loop, 2000000, kit_stop_call, loop, kit_drop, NULL));
    CHECK_STATUS(rondo_loop_run_forever(loop), -EINVAL);
    CHECK_EQ_INT(rondo_loop_is_running(loop), 0);
    CHECK_EQ_PTR(rondo_running_loop(), NULL);
    CHECK_OK(rondo_loop_run_forever(loop));
    CHECK_EQ_INT(kit_drops, 1);
    clear_faults();
    kit_loop_end(loop);
}

/* ---- old kernels ----------------------------------------------------------------------------- */

static int run_without_pwait2(void)
{
    struct timers timers = { .loop = kit_loop() };
    no_pwait2 = true;
    clear_faults();
    for (int i = 0; i < 3; i++) {
        timers.when[i] = kit_now() + (i + 1) * 2500001;
        CHECK_OK(rondo_loop_call_at(timers.loop, timers.when[i], check_timer, &timers, NULL, NULL));
    }
    CHECK_OK(rondo_loop_run_forever(timers.loop));
    CHECK_EQ_INT(timers.next, 3);
    CHECK(faults[EPOLL_WAIT].calls >= 1);
    CHECK(faults[EPOLL_WAIT].calls <= 10); /* rounded up: no spinning through the last millisecond */
    kit_loop_end(timers.loop);
    return 0;
}

KIT_TEST(kernel_without_epoll_pwait2)
{
    int pid = kit_fork(); /* the library remembers it for the whole process */
    if (pid == 0)
        _exit(run_without_pwait2());
    CHECK_EQ_INT(kit_wait_child(pid), 0);
}

/* ---- F35, F36: clocks ------------------------------------------------------------------------ */

struct ticker {
    rondo_handle *handle;
    int ticks;
};

static void tick(void *arg)
{
    struct ticker *ticker = arg;
    ticker->ticks++;
    CHECK_OK(rondo_handle_rearm(ticker->handle, 1000000));
}

/* Eleven days at once: what is due runs once each, by deadline, and what repeats catches up once. */
KIT_TEST(clock_jumps_forward)
{
    rondo_loop *loop = kit_loop();
    struct ticker ticker = { 0 };
    CHECK_OK(rondo_loop_call_later(loop, 3600000000000, kit_log_call, "b", kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 60000000000, kit_log_call, "a", kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 900000000000000, kit_log_call, "c", kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 2000000000000000, kit_no_call, NULL, kit_drop, NULL));
    CHECK_OK(rondo_loop_call_later(loop, 1000000, tick, &ticker, NULL, &ticker.handle));
    clock_jump = INT64_C(1000000) * 1000000000;
    kit_pass(loop);
    kit_expect_log("a b c");
    CHECK_EQ_INT(kit_drops, 3);
    CHECK_EQ_INT(ticker.ticks, 1);
    clock_jump = 0;
    CHECK_OK(rondo_handle_cancel(ticker.handle));
    CHECK_OK(rondo_handle_release(ticker.handle));
    kit_loop_drop(loop);
    CHECK_EQ_INT(kit_drops, 4);
}

static void thaw(rondo_loop *loop, void *arg)
{
    (void)loop;
    if (++*(int *)arg == 20)
        clock_frozen = 0;
}

/* The clock stands still: the loop goes on sleeping, it does not spin on a zero timeout. */
KIT_TEST(clock_stands_still)
{
    rondo_loop *loop = kit_loop();
    int polls = 0;
    CHECK_OK(rondo_loop_call_later(loop, 500000, kit_stop_call, loop, NULL, NULL));
    CHECK_OK(rondo_loop_set_poll_hooks(loop, NULL, thaw, &polls, NULL));
    clock_frozen = kit_now();
    zero_waits = 0;
    CHECK_OK(rondo_loop_run_forever(loop));
    CHECK_EQ_INT(clock_frozen, 0);
    CHECK_EQ_INT(zero_waits, 0);
    kit_loop_end(loop);
}

/* The sleep is what is left until the next timer that lives, not until a cancelled one (T-07). */
KIT_TEST(sleep_is_for_the_next_live_timer)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    clear_faults();
    CHECK_OK(rondo_loop_call_later(loop, 5000000000, kit_no_call, NULL, NULL, &handle));
    CHECK_OK(rondo_loop_call_later(loop, 10000000000, kit_no_call, NULL, NULL, NULL));
    CHECK_OK(rondo_handle_cancel(handle));
    CHECK_OK(rondo_loop_begin(loop));
    fail_next(EPOLL_WAIT, EINTR, 1);
    CHECK_OK(rondo_loop_iterate(loop, RONDO_NEVER));
    CHECK(last_wait_ns > INT64_C(9000000000));
    CHECK(last_wait_ns <= INT64_C(10000000000));
    CHECK_OK(rondo_loop_end(loop));
    CHECK_OK(rondo_handle_release(handle));
    kit_loop_drop(loop);
}

#endif
