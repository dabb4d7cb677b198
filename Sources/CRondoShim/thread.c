/* thread.c - the library's own threads: named, and deaf to the program's signals. */
#include "rondo_shim.h"

struct beginning {
    void (*fn)(void *arg);
    void *arg;
    char name[16];
};

static void *begin(void *raw)
{
    struct beginning here = *(struct beginning *)raw;
    free(raw);
    pthread_setname_np(pthread_self(), here.name);
    here.fn(here.arg);
    return NULL;
}

int32_t rondo_shim_start_thread(void (*fn)(void *arg), void *arg, const char *name, pthread_t *out_thread)
{
    struct beginning *here = malloc(sizeof *here);
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (here == NULL)
        return -ENOMEM;
    here->fn = fn;
    here->arg = arg;
    strncpy(here->name, name, sizeof here->name - 1);
    here->name[sizeof here->name - 1] = '\0';
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        /* A thread takes over its maker's mask: a handler of the program's never runs in it. */
        sigfillset(&all);
        if (out_thread == NULL)
            pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        error = pthread_create(out_thread != NULL ? out_thread : &thread, &attributes, begin, here);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (error != 0)
        free(here);
    return -error;
}
