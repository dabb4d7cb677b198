/* helpers.c - what tests need again and again: callbacks that count, loops, reports, threads, sockets. */
#define _GNU_SOURCE
#include "kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- callbacks ------------------------------------------------------------------------------- */

void kit_drop(void *arg)
{
    (void)arg;
    atomic_fetch_add(&kit_drops, 1);
}

void kit_arg_call(void *arg)
{
    struct kit_arg *counted = arg;
    CHECK(counted == NULL || atomic_load(&counted->drops) == 0);
    if (counted != NULL)
        atomic_fetch_add(&counted->calls, 1);
}

void kit_arg_fd(int32_t fd, void *arg)
{
    (void)fd;
    kit_arg_call(arg);
}

void kit_arg_future(rondo_future *future, void *arg)
{
    (void)future;
    kit_arg_call(arg);
}

void kit_arg_drop(void *arg)
{
    struct kit_arg *counted = arg;
    CHECK_EQ_INT(atomic_fetch_add(&counted->drops, 1), 0);
}

void kit_log_call(void *arg)
{
    kit_log("%s", (const char *)arg);
}

void kit_stop_call(void *arg)
{
    CHECK_OK(rondo_loop_stop(arg));
}

void kit_no_call(void *arg)
{
    (void)arg;
    kit_fail(__FILE__, __LINE__, "a callback ran that must not run");
}

/* ---- loops ----------------------------------------------------------------------------------- */

rondo_loop *kit_loop(void)
{
    rondo_loop *loop = NULL;
    CHECK_OK(rondo_loop_new(NULL, &loop));
    CHECK(loop != NULL);
    return loop;
}

rondo_loop *kit_loop_of(uint32_t flags, uint64_t seed)
{
    rondo_loop_options options = { .size = sizeof options, .flags = flags, .seed = seed };
    rondo_loop *loop = NULL;
    CHECK_OK(rondo_loop_new(&options, &loop));
    return loop;
}

rondo_loop *kit_virtual_loop(void)
{
    return kit_loop_of(RONDO_LOOP_VIRTUAL_CLOCK, 0);
}

void kit_loop_end(rondo_loop *loop)
{
    rondo_close_report report = { .size = sizeof report };
    CHECK_OK(rondo_loop_close(loop, &report));
    CHECK_EQ_INT(report.ready_calls, 0);
    CHECK_EQ_INT(report.timers, 0);
    CHECK_EQ_INT(report.readers + report.writers, 0);
    CHECK_EQ_INT(report.threadsafe_calls, 0);
    CHECK_EQ_INT(report.pending_tasks, 0);
    CHECK_EQ_INT(report.pending_futures, 0);
    CHECK_OK(rondo_loop_release(loop));
}

void kit_loop_end_with_pool(rondo_loop *loop)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_shutdown_default_executor(loop, RONDO_NEVER, &future));
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_result(future, NULL));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

void kit_loop_drop(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_loop_release(loop));
}

void kit_pass(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_stop(loop));
    CHECK_OK(rondo_loop_run_forever(loop));
}

void kit_stop_soon(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_call_soon(loop, kit_stop_call, loop, NULL, NULL));
}

void kit_run_until(rondo_loop *loop, atomic_int *flag)
{
    CHECK_OK(rondo_loop_begin(loop));
    while (atomic_load(flag) == 0)
        CHECK_OK(rondo_loop_iterate(loop, 1000000));
    CHECK_OK(rondo_loop_end(loop));
}

static rondo_error *make_error(int32_t domain, int32_t code, const char *message)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_error_new(domain, code, message, &error));
    return error;
}

rondo_error *kit_error(int32_t code, const char *message)
{
    return make_error(RONDO_DOMAIN_USER, code, message);
}

rondo_error *kit_rondo_error(int32_t code, const char *message)
{
    return make_error(RONDO_DOMAIN_RONDO, code, message);
}

/* ---- reports and log messages ---------------------------------------------------------------- */

#define MAX_MESSAGES 256
static struct {
    char *text;
    int32_t code;
} reports[MAX_MESSAGES], logged[MAX_MESSAGES];
static atomic_int report_count, logged_count;
static bool sink_set;

void kit_record_report(rondo_loop *loop, rondo_exception_context *context, void *arg)
{
    (void)loop;
    (void)arg;
    const char *message = rondo_exception_context_get_message(context);
    rondo_error *error = rondo_exception_context_get_error(context);
    int index = atomic_fetch_add(&report_count, 1);
    if (index >= MAX_MESSAGES)
        return;
    reports[index].text = strdup(message != NULL ? message : "(NULL)");
    reports[index].code = error != NULL ? rondo_error_get_code(error) : 0;
}

void kit_record_reports(rondo_loop *loop)
{
    CHECK_OK(rondo_loop_set_exception_handler(loop, kit_record_report, NULL, NULL));
}

int kit_reports(void)
{
    return atomic_load(&report_count);
}

const char *kit_report_message(int index)
{
    CHECK(index < kit_reports() && index < MAX_MESSAGES);
    return reports[index].text;
}

int32_t kit_report_code(int index)
{
    CHECK(index < kit_reports() && index < MAX_MESSAGES);
    return reports[index].code;
}

static void remember_message(int32_t level, const char *message, const rondo_log_field *fields,
                             size_t field_count, void *arg)
{
    (void)fields, (void)field_count;
    (void)arg;
    int index = atomic_fetch_add(&logged_count, 1);
    if (index >= MAX_MESSAGES)
        return;
    logged[index].text = strdup(message);
    logged[index].code = level;
}

void kit_catch_log(void)
{
    CHECK_OK(rondo_log_set_sink(remember_message, NULL, NULL));
    sink_set = true;
}

int kit_logged(void)
{
    return atomic_load(&logged_count);
}

const char *kit_logged_message(int index)
{
    CHECK(index < kit_logged() && index < MAX_MESSAGES);
    return logged[index].text;
}

bool kit_logged_containing(const char *text)
{
    for (int i = 0; i < kit_logged() && i < MAX_MESSAGES; i++)
        if (strstr(logged[i].text, text) != NULL)
            return true;
    return false;
}

void kit_reset(void)
{
    if (sink_set)
        rondo_log_set_sink(NULL, NULL, NULL);
    sink_set = false;
    for (int i = 0; i < MAX_MESSAGES; i++) {
        free(reports[i].text);
        free(logged[i].text);
        reports[i].text = logged[i].text = NULL;
    }
    atomic_store(&report_count, 0);
    atomic_store(&logged_count, 0);
    kit_alloc_only_this_thread(false);
}

/* ---- threads --------------------------------------------------------------------------------- */

struct call {
    void (*fn)(void *arg);
    void *arg;
};

static void *run_call(void *arg)
{
    struct call *call = arg;
    call->fn(call->arg);
    return NULL;
}

void kit_in_thread(void (*fn)(void *arg), void *arg)
{
    struct call call = { fn, arg };
    kit_thread_join(kit_thread_start(run_call, &call));
}

pthread_t kit_thread_start(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    CHECK_EQ_INT(pthread_create(&thread, NULL, fn, arg), 0);
    return thread;
}

void kit_thread_join(pthread_t thread)
{
    CHECK_EQ_INT(pthread_join(thread, NULL), 0);
}

void kit_event_set(struct kit_event *event)
{
    pthread_mutex_lock(&event->lock);
    event->set = 1;
    pthread_cond_broadcast(&event->changed);
    pthread_mutex_unlock(&event->lock);
}

void kit_event_wait(struct kit_event *event)
{
    pthread_mutex_lock(&event->lock);
    while (!event->set)
        pthread_cond_wait(&event->changed, &event->lock);
    pthread_mutex_unlock(&event->lock);
}

bool kit_event_is_set(struct kit_event *event)
{
    pthread_mutex_lock(&event->lock);
    bool set = event->set != 0;
    pthread_mutex_unlock(&event->lock);
    return set;
}

int32_t kit_tid(void)
{
    return (int32_t)syscall(SYS_gettid);
}

static char thread_state(int32_t tid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return '?';
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : '?';
}

void kit_wait_asleep(int32_t tid)
{
    /* Several looks in a row: a thread on its way may sleep for a moment on a lock. */
    for (int seen = 0; seen < 5;) {
        seen = thread_state(tid) == 'S' ? seen + 1 : 0;
        usleep(500);
    }
}

/* ---- sockets --------------------------------------------------------------------------------- */

void kit_socketpair(int fds[2])
{
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

void kit_pipe(int fds[2])
{
    CHECK_EQ_INT(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
}

int kit_listener(uint16_t *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_EQ_INT(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ_INT(listen(fd, 128), 0);
    CHECK_EQ_INT(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int kit_connect(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_EQ_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void kit_fill(int fd)
{
    static const char zeros[65536];
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
    while (write(fd, zeros, 1) > 0)
        ;
}

void kit_drain(int fd)
{
    char buffer[4096];
    while (read(fd, buffer, sizeof buffer) > 0)
        ;
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t kit_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t kit_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
