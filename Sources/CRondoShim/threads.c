/* threads.c - threads of the library's own: those of its executors. */
#include "rondo_shim.h"

#include <sys/resource.h>

int32_t rondo_shim_start_worker(void *(*fn)(void *), void *arg, size_t stack_size, uint64_t *out_thread)
{
    pthread_attr_t attributes;
    pthread_t thread = 0;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0)
        return error;
    if (stack_size != 0)
        error = pthread_attr_setstacksize(&attributes, stack_size);
    /* A worker takes no signal of the program's: which thread runs a handler must not be a lottery. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0)
        error = pthread_create(&thread, &attributes, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    *out_thread = (uint64_t)thread;
    return error;
}

void rondo_shim_join_thread(uint64_t thread)
{
    pthread_join((pthread_t)thread, NULL);
}

void rondo_shim_detach_thread(uint64_t thread)
{
    pthread_detach((pthread_t)thread);
}

void rondo_shim_dress_thread(const char *name, int32_t nice)
{
    pthread_setname_np(pthread_self(), name);
    /* On Linux niceness is a thread's own. */
    if (nice != 0)
        setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice);
}

int32_t rondo_shim_cpus(void)
{
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    if (count < 1)
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count;
}

int64_t rondo_shim_coarse_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
