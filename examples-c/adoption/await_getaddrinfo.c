/*
 * await_getaddrinfo.c - getaddrinfo_a() with SIGEV_THREAD: a callback from a thread that is not ours.
 *
 * The thread that is called back owns the lookup from getaddrinfo_a() on: its copies of the question, and a
 * reference of the future. The loop's thread does not touch it any more, not even to cancel; so it needs
 * no lock, and nothing goes wrong if the future is released, or the loop closed, before the answer comes.
 *
 * Knows: glibc and rondo. Does not know: who asks for what.
 */
#define _GNU_SOURCE /* getaddrinfo_a */
#include "await_getaddrinfo.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
    struct gaicb question;
    struct addrinfo hints;
    char *name, *service;
    rondo_future *future;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nothing_open = PTHREAD_COND_INITIALIZER;
static unsigned open_lookups; /* guarded by mutex */

static void free_addresses(void *value)
{
    freeaddrinfo(value);
}

static void free_lookup(struct lookup *lookup)
{
    rondo_future_release(lookup->future);
    free(lookup->name);
    free(lookup->service);
    free(lookup);
}

/* The future may have been cancelled, or its loop be closed: then this comes to nothing. */
static void fail(rondo_future *future, int code)
{
    rondo_error *error = NULL;
    /* With EAI_SYSTEM there is an errno, but in another thread of glibc's. */
    rondo_status status = code == EAI_MEMORY ? -ENOMEM : code == EAI_SYSTEM ? -EIO
        : rondo_error_new(RONDO_DOMAIN_RESOLVER, code, gai_strerror(code), &error);
    if (status == RONDO_OK)
        status = rondo_error_set_operation(error, "resolve");
    if (status == RONDO_OK)
        (void)rondo_future_set_exception_threadsafe(future, error);
    else
        (void)rondo_future_set_exception_status_threadsafe(future, status, "resolve");
    rondo_error_release(error);
}

/* In a thread of glibc's. Whatever these calls answer, what they were given is let go of. */
static void on_answer(union sigval value)
{
    struct lookup *lookup = value.sival_ptr;
    int code = gai_error(&lookup->question);
    if (code == 0)
        (void)rondo_future_set_result_threadsafe(lookup->future, lookup->question.ar_result, free_addresses);
    else
        fail(lookup->future, code);
    free_lookup(lookup);
    pthread_mutex_lock(&mutex);
    if (--open_lookups == 0)
        pthread_cond_broadcast(&nothing_open);
    pthread_mutex_unlock(&mutex);
}

void await_getaddrinfo_finish(void)
{
    pthread_mutex_lock(&mutex);
    while (open_lookups > 0)
        pthread_cond_wait(&nothing_open, &mutex);
    pthread_mutex_unlock(&mutex);
}

static int copy(const char *text, char **out_text)
{
    *out_text = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out_text != NULL;
}

/* Ask glibc. From RONDO_OK on the lookup is the callback's. */
static rondo_status ask(struct lookup *lookup)
{
    struct gaicb *questions[1] = { &lookup->question };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = lookup,
                              .sigev_notify_function = on_answer };
    pthread_mutex_lock(&mutex);
    open_lookups++;
    pthread_mutex_unlock(&mutex);
    int code = getaddrinfo_a(GAI_NOWAIT, questions, 1, &event);
    if (code == 0)
        return RONDO_OK;
    pthread_mutex_lock(&mutex);
    open_lookups--;
    pthread_mutex_unlock(&mutex);
    return code == EAI_AGAIN ? -EAGAIN : code == EAI_MEMORY ? -ENOMEM : RONDO_E_RUNTIME;
}

rondo_status await_getaddrinfo(rondo_loop *loop, const char *name, const char *service,
                               const struct addrinfo *hints, rondo_future **out_future)
{
    rondo_future *future = NULL;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return -ENOMEM;
    rondo_status status = copy(name, &lookup->name) && copy(service, &lookup->service)
        ? rondo_future_new(loop, &future) : -ENOMEM;
    if (status == RONDO_OK) {
        if (hints != NULL)
            lookup->hints = *hints;
        lookup->question.ar_name = lookup->name;
        lookup->question.ar_service = lookup->service;
        lookup->question.ar_request = hints != NULL ? &lookup->hints : NULL;
        rondo_future_retain(future);
        lookup->future = future;
        status = ask(lookup);
    }
    if (status != RONDO_OK)
        free_lookup(lookup);
    if (status == RONDO_OK && out_future != NULL)
        *out_future = future;
    else
        rondo_future_release(future);
    return status;
}
