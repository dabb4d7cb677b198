/* process_jobs.c - what process_pool.c has its workers do. Knows the public header only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <rondo/process_pool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define JOB __attribute__((visibility("default"))) rondo_status

JOB echo(const void *input, size_t size, rondo_reply *reply) { return reply->write(reply, input, size); }

JOB reverse(const void *input, size_t size, rondo_reply *reply)
{
    const char *bytes = input;
    for (size_t i = size; i > 0; i--)
        if (reply->write(reply, bytes + i - 1, 1) != RONDO_OK)
            return -ENOMEM;
    return RONDO_OK;
}

JOB square(const void *input, size_t size, rondo_reply *reply)
{
    int64_t number;
    if (size != sizeof number)
        return reply->raise(reply, -EINVAL, "square wants a number");
    memcpy(&number, input, sizeof number);
    number *= number;
    return reply->write(reply, &number, sizeof number);
}

JOB process_id(const void *input, size_t size, rondo_reply *reply)
{
    pid_t pid = getpid();
    (void)input;
    (void)size;
    return reply->write(reply, &pid, sizeof pid);
}

JOB say_nothing(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    (void)reply;
    return RONDO_OK;
}

/* Misuse of the reply itself. */
JOB misuse_reply(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    int good = reply->size == sizeof *reply && reply->write(NULL, "x", 1) == -EINVAL &&
               reply->write(reply, NULL, 1) == -EINVAL && reply->write(reply, NULL, 0) == RONDO_OK &&
               reply->write(reply, "x", SIZE_MAX) == -ENOMEM && reply->raise(NULL, -1, NULL) == -EINVAL &&
               reply->raise(reply, RONDO_OK, "x") == -EINVAL && reply->raise(reply, 5, "x") == -EINVAL;
    return reply->write(reply, good ? "good" : "bad", good ? 4 : 3);
}

JOB fail_plainly(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    (void)reply->write(reply, "never seen", 10);
    return -EDOM;
}

JOB fail_strangely(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    (void)reply;
    return 12345;
}

JOB fail_with_words(const void *input, size_t size, rondo_reply *reply)
{
    char text[200];
    snprintf(text, sizeof text, "%.*s is not good", (int)size, (const char *)input);
    (void)reply->raise(reply, RONDO_E_QUEUE_FULL, "replaced");
    (void)reply->raise(reply, -ERANGE, text);
    return RONDO_OK;
}

JOB fail_at_length(const void *input, size_t size, rondo_reply *reply)
{
    enum { LENGTH = 200000 };
    char *text = malloc(LENGTH + 1);
    (void)input;
    (void)size;
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    rondo_status status = reply->raise(reply, -EDOM, text);
    free(text);
    return status;
}

/* ---- ends ---------------------------------------------------------------------------------------- */

static void no_core(void)
{
    struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
}

JOB crash(const void *input, size_t size, rondo_reply *reply)
{
    int number;
    (void)size;
    (void)reply;
    no_core();
    memcpy(&number, input, sizeof number);
    raise(number);
    return RONDO_OK;
}

JOB leave(const void *input, size_t size, rondo_reply *reply)
{
    int number;
    (void)size;
    (void)reply;
    memcpy(&number, input, sizeof number);
    _exit(number);
}

/* Leave a child behind that keeps the socket open: the end is seen all the same. */
JOB fork_and_leave(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    (void)reply;
    if (fork() == 0) {
        alarm(2); /* nobody else ends it */
        pause();
        _exit(0);
    }
    _exit(7);
}

JOB close_everything(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    for (int fd = 0; fd < 100; fd++)
        close(fd);
    return reply->write(reply, "unheard", 7);
}

/* Takes the worker's part itself: sends the input as if it were an answer, and lives on. */
JOB answer_with_input(const void *input, size_t size, rondo_reply *reply)
{
    if (write(3, input, size) != (ssize_t)size)
        return reply->raise(reply, -EIO, "no socket");
    for (;;)
        pause();
}

/* Says on a pipe, given by its path, that it has begun; then it hangs. */
JOB hang(const void *input, size_t size, rondo_reply *reply)
{
    char path[200];
    snprintf(path, sizeof path, "%.*s", (int)size, (const char *)input);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    pid_t pid = getpid();
    if (fd < 0 || write(fd, &pid, sizeof pid) != sizeof pid)
        return reply->raise(reply, -EIO, "no pipe");
    close(fd);
    for (;;)
        pause();
}

/* Says so, and waits until it is told to go on by another path. */
JOB wait_for_go(const void *input, size_t size, rondo_reply *reply)
{
    char path[200], byte;
    pid_t pid = getpid();
    snprintf(path, sizeof path, "%.*s", (int)size, (const char *)input);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, &pid, sizeof pid) != sizeof pid)
        return reply->raise(reply, -EIO, "no pipe");
    close(fd);
    strcat(path, ".go");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, &byte, 1) != 1)
        return reply->raise(reply, -EIO, "no pipe");
    close(fd);
    return reply->write(reply, "went", 4);
}

/* ---- what a process does first and last ------------------------------------------------------------ */

static char first_input[200];
static size_t first_size;
static int first_count;

JOB do_first(const void *input, size_t size, rondo_reply *reply)
{
    first_count++;
    first_size = size < sizeof first_input ? size : sizeof first_input;
    memcpy(first_input, input, first_size);
    return reply->write(reply, "nobody hears this", 17);
}

/* What the initializer was given, and how often. */
JOB tell_first(const void *input, size_t size, rondo_reply *reply)
{
    char digit = (char)('0' + first_count);
    (void)input;
    (void)size;
    (void)reply->write(reply, &digit, 1);
    return reply->write(reply, first_input, first_size);
}

JOB fail_first(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    return reply->raise(reply, -EACCES, "no licence");
}

JOB crash_first(const void *input, size_t size, rondo_reply *reply)
{
    (void)input;
    (void)size;
    (void)reply;
    no_core();
    raise(SIGSEGV);
    return RONDO_OK;
}

/* Hangs if the file is there that the input names. */
JOB hang_if_told(const void *input, size_t size, rondo_reply *reply)
{
    char path[200];
    snprintf(path, sizeof path, "%.*s", (int)size, (const char *)input);
    return access(path, F_OK) == 0 ? hang(input, size, reply) : RONDO_OK;
}

/* Adds a byte to the file that the input names. */
JOB do_last(const void *input, size_t size, rondo_reply *reply)
{
    char path[200];
    snprintf(path, sizeof path, "%.*s", (int)size, (const char *)input);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, "!", 1) != 1)
        return reply->raise(reply, -EIO, "no file");
    close(fd);
    return RONDO_OK;
}

/* ---- what a worker process has ------------------------------------------------------------------- */

JOB describe_process(const void *input, size_t size, rondo_reply *reply)
{
    char text[200];
    int descriptors = 0, handled = 0;
    sigset_t mask;
    struct sigaction action;
    (void)input;
    (void)size;
    for (int fd = 4; fd < 200; fd++)
        descriptors += fcntl(fd, F_GETFD) >= 0;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    int blocked = 0;
    for (int number = 1; number < 32; number++) {
        blocked += sigismember(&mask, number) == 1;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            handled += number;
    }
    snprintf(text, sizeof text, "descriptors %d, blocked %d, not default %d, socket %s", descriptors, blocked, handled,
             fcntl(3, F_GETFD) & FD_CLOEXEC ? "close-on-exec" : "inherited");
    return reply->write(reply, text, strlen(text));
}
