/* sigint.c - SIGINT for the one rondo_run() that asked for it.
 *
 * The handler counts, marks the loop's word of rare things, so that the call that is running is the
 * last one before the loop looks, and writes to the wake-up; everything else happens on the loop.
 * (The loop writes that word without an atomic and may lose the mark; the count is looked at in
 * every pass.) The second one puts the default back, so that a third kills a program whose callback never ends. */
#include "rondo_shim.h"

static uint32_t *sigint_count, *sigint_attention, sigint_mark;
static int sigint_wake_fd;
static struct sigaction sigint_before;

static void on_sigint(int number)
{
    int saved = errno;
    uint64_t one = 1;
    if (rondo_add32(sigint_count, 1) >= 1)
        signal(number, SIG_DFL);
    rondo_or32(sigint_attention, sigint_mark);
    if (write(sigint_wake_fd, &one, sizeof one) < 0) {
        /* A full counter means that it is awake. */
    }
    errno = saved;
}

int32_t rondo_shim_sigint_install(uint32_t *count, uint32_t *attention, uint32_t mark, int32_t wake_fd)
{
    struct sigaction now, mine;
    if (getpid() != (pid_t)syscall(SYS_gettid))
        return 0; /* asyncio's rule: only the main thread */
    if (sigaction(SIGINT, NULL, &now) < 0 || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
        return 0; /* the program has ideas of its own about SIGINT */
    sigint_count = count;
    sigint_attention = attention;
    sigint_mark = mark;
    sigint_wake_fd = wake_fd;
    memset(&mine, 0, sizeof mine);
    mine.sa_handler = on_sigint;
    sigemptyset(&mine.sa_mask);
    if (sigaction(SIGINT, &mine, &sigint_before) < 0)
        return 0;
    return 1;
}

void rondo_shim_sigint_remove(void)
{
    struct sigaction now;
    /* Not if the program, or a second SIGINT, has put something else in its place meanwhile. */
    if (sigaction(SIGINT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == on_sigint)
        sigaction(SIGINT, &sigint_before, NULL);
}
