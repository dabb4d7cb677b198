/* state.c - the process's and the thread's state, the lock's slow path, fork and thread hooks. */
#include "rondo_shim.h"

struct rondo_globals rondo_globals_ = { .log_level = 20 };
void *rondo_chunks_[RONDO_CHUNKS];
__thread struct rondo_thread rondo_thread_ = { .running_handle = RONDO_NO_HANDLE };

void rondo_shim_lock_slowly(uint32_t *lock)
{
    /* The holder is a few instructions away from letting go: look again before sleeping. */
    for (int i = 0; i < 64; i++) {
        if (__atomic_load_n(lock, __ATOMIC_RELAXED) == 0) {
            uint32_t free_ = 0;
            if (__atomic_compare_exchange_n(lock, &free_, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return;
        }
        rondo_pause();
    }
    while (__atomic_exchange_n(lock, 2, __ATOMIC_ACQUIRE) != 0)
        syscall(SYS_futex, lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

void rondo_shim_wake_one(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void rondo_shim_wake_all(uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void rondo_shim_wait(uint32_t *word, uint32_t seen, int64_t deadline_ns)
{
    struct timespec at = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };
    /* The BITSET form takes an absolute monotonic deadline. */
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, seen, deadline_ns == INT64_MAX ? NULL : &at,
            NULL, FUTEX_BITSET_MATCH_ANY);
}

static pthread_key_t thread_key;

int32_t rondo_shim_watch_process(void (*before_fork)(void), void (*after_in_parent)(void),
                                 void (*after_in_child)(void), void (*thread_ends)(void *))
{
    int error = pthread_key_create(&thread_key, thread_ends);
    if (error != 0)
        return error;
    error = pthread_atfork(before_fork, after_in_parent, after_in_child);
    if (error != 0) /* the caller will try again, and keys are few */
        pthread_key_delete(thread_key);
    return error;
}

int32_t rondo_shim_watch_thread(void)
{
    /* Any value but NULL makes the destructor run. */
    return pthread_setspecific(thread_key, &rondo_thread_);
}
