/* main.c - rondo-worker, the program that a process pool runs its jobs in.
 *
 * Descriptor 3 is a socket to the pool. One request after the other: load the library, call the
 * function, send what it wrote. The end of the stream is the end of the pool, or of its process, and
 * so of this one. It needs libc only; a job's library needs nothing of rondo either. */
#define _GNU_SOURCE
#include "rondo_shim_worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <rondo/process_pool.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the stream -------------------------------------------------------------------------------- */

/* 0, or -1 at the end of the stream. Anything else wrong with a socket is its end, too. */
static int receive(void *to, size_t size)
{
    for (char *at = to; size > 0;) {
        ssize_t got = recv(RONDO_WORKER_SOCKET, at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

static int skip(uint64_t size)
{
    char buffer[65536];
    while (size > 0) {
        size_t part = size < sizeof buffer ? (size_t)size : sizeof buffer;
        if (receive(buffer, part) != 0)
            return -1;
        size -= part;
    }
    return 0;
}

static int transmit(const void *from, size_t size)
{
    for (const char *at = from; size > 0;) {
        ssize_t sent = send(RONDO_WORKER_SOCKET, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        at += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* ---- what a job says --------------------------------------------------------------------------- */

struct reply {
    rondo_reply face; /* first: what the job has */
    char *output;
    size_t size, capacity;
    rondo_status raised;
    char *text;
};

static rondo_status reply_write(rondo_reply *face, const void *data, size_t size)
{
    struct reply *reply = (struct reply *)face;
    if (reply == NULL || (data == NULL && size > 0))
        return -EINVAL;
    if (size > SIZE_MAX / 4 - reply->size)
        return -ENOMEM;
    if (reply->size + size > reply->capacity) {
        size_t wanted = reply->size + size;
        if (wanted < 2 * reply->capacity)
            wanted = 2 * reply->capacity;
        char *bigger = realloc(reply->output, wanted);
        if (bigger == NULL)
            return -ENOMEM;
        reply->output = bigger;
        reply->capacity = wanted;
    }
    if (size > 0)
        memcpy(reply->output + reply->size, data, size);
    reply->size += size;
    return RONDO_OK;
}

static rondo_status reply_raise(rondo_reply *face, rondo_status status, const char *message)
{
    struct reply *reply = (struct reply *)face;
    if (reply == NULL || status >= 0)
        return -EINVAL;
    char *copy = message != NULL ? strndup(message, RONDO_PROCESS_MESSAGE_MAX) : NULL;
    if (message != NULL && copy == NULL)
        return -ENOMEM;
    free(reply->text);
    reply->text = copy;
    reply->raised = status;
    return RONDO_OK;
}

/* ---- one job ----------------------------------------------------------------------------------- */

/* The last one is kept: a pool's jobs are mostly calls of one function. */
static char *known_library, *known_symbol;
static rondo_process_fn known_function;

static void fail(struct reply *reply, rondo_status status)
{
    const char *why = dlerror();
    (void)reply_raise(&reply->face, status, why);
    reply->raised = status;
}

/* Takes both names over. */
static rondo_process_fn find(char *library, char *symbol, struct reply *reply)
{
    int is_known = known_function != NULL && strcmp(library, known_library) == 0 && strcmp(symbol, known_symbol) == 0;
    void *handle = is_known ? NULL : dlopen(library, RTLD_NOW | RTLD_LOCAL);
    free(known_library);
    free(known_symbol);
    known_library = library;
    known_symbol = symbol;
    if (is_known)
        return known_function;
    known_function = NULL;
    if (handle == NULL) {
        fail(reply, -ELIBACC);
        return NULL;
    }
    known_function = (rondo_process_fn)(uintptr_t)dlsym(handle, symbol);
    if (known_function == NULL)
        fail(reply, -ENOSYS);
    return known_function;
}

static int answer(const struct reply *reply, rondo_status status)
{
    struct rondo_worker_answer head = { .magic = RONDO_WORKER_MAGIC, .status = status };
    head.text_size = status != RONDO_OK && reply->text != NULL ? (uint32_t)strlen(reply->text) : 0;
    head.output_size = status == RONDO_OK ? reply->size : 0;
    if (transmit(&head, sizeof head) != 0 || transmit(reply->text, head.text_size) != 0)
        return -1;
    return transmit(reply->output, (size_t)head.output_size);
}

static char *receive_name(uint32_t size, int *failed)
{
    char *name = malloc((size_t)size + 1);
    if (name == NULL) {
        *failed |= skip(size);
        return NULL;
    }
    *failed |= receive(name, size);
    name[size] = '\0';
    return name;
}

/* What is called at the end of the stream, with its input. */
static rondo_process_fn last_function;
static void *last_input;
static size_t last_size;

static rondo_status keep_for_end(rondo_process_fn function, void **input, size_t size)
{
    last_function = function;
    last_input = *input;
    last_size = size;
    *input = NULL;
    return RONDO_OK;
}

/* Nobody hears what it says. */
static void do_last(void)
{
    struct reply reply = { .face = { .size = sizeof reply.face, .write = reply_write, .raise = reply_raise } };
    if (last_function != NULL)
        (void)last_function(last_input, last_size, &reply.face);
    free(last_input);
    free(reply.output);
    free(reply.text);
}

/* 0, or -1 when there is nobody any more to do it for. */
static int do_job(const struct rondo_worker_request *head)
{
    struct reply reply = { .face = { .size = sizeof reply.face, .write = reply_write, .raise = reply_raise } };
    int failed = 0;
    char *library = receive_name(head->library_size, &failed);
    char *symbol = receive_name(head->symbol_size, &failed);
    void *input = malloc(head->input_size > 0 ? (size_t)head->input_size : 1);
    failed |= input != NULL ? receive(input, (size_t)head->input_size) : skip(head->input_size);
    rondo_status status = -ENOMEM;
    if (failed != 0 || library == NULL || symbol == NULL || input == NULL) {
        free(library);
        free(symbol);
    } else {
        rondo_process_fn function = find(library, symbol, &reply);
        if (function == NULL)
            status = reply.raised;
        else if (head->kind == RONDO_WORKER_AT_END)
            status = keep_for_end(function, &input, (size_t)head->input_size);
        else
            status = function(input, (size_t)head->input_size, &reply.face);
        if (reply.raised != RONDO_OK)
            status = reply.raised;
    }
    free(input);
    if (failed == 0)
        failed = answer(&reply, status);
    free(reply.output);
    free(reply.text);
    return failed;
}

/* ---- the process ------------------------------------------------------------------------------- */

/* Nothing of the host's comes along: no descriptor, handler, mask or terminal's input. */
static void begin(void)
{
    sigset_t none;
    if (syscall(SYS_close_range, RONDO_WORKER_SOCKET + 1, ~0U, 0) != 0)
        for (int fd = RONDO_WORKER_SOCKET + 1, end = (int)sysconf(_SC_OPEN_MAX); fd < end; fd++)
            close(fd);
    fcntl(RONDO_WORKER_SOCKET, F_SETFD, FD_CLOEXEC);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    /* Ctrl-C reaches the whole terminal; what it means is for the host to say. */
    signal(SIGINT, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        return;
    dup2(null, 0);
    for (int fd = 1; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            dup2(null, fd);
    if (null > RONDO_WORKER_SOCKET)
        close(null);
}

int main(void)
{
    struct rondo_worker_request head;
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(RONDO_WORKER_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        static const char text[] = "rondo-worker is started by a process pool of librondo, not by hand\n";
        return write(2, text, sizeof text - 1) < 0 ? 3 : 2;
    }
    begin();
    while (receive(&head, sizeof head) == 0 && head.magic == RONDO_WORKER_MAGIC)
        if (do_job(&head) != 0)
            break;
    do_last();
    free(known_library);
    free(known_symbol);
    return 0;
}
