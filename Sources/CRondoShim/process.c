/* process.c - worker processes: how one starts and how it ends.
 *
 * clone() instead of posix_spawn(), because only it gives a pidfd together with the process: the
 * number of a process that the host may reap (a handler with waitpid(-1), SIGCHLD ignored) names
 * another one at any time. As posix_spawn() does, the child borrows the parent's memory until it
 * execs, on a stack of its own, while the thread that started it stands still. All signals are
 * blocked meanwhile, so no handler runs in it. */
#include "rondo_shim.h"

#include <limits.h>
#include <link.h>
#include <linux/wait.h>
#include <sys/prctl.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

/* ThreadSanitizer takes clone() for a fork, and does in the parent's memory what belongs into a child's;
 * what clang instruments would be left without its end, because exec does not return. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
extern int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif
#endif
#if defined(__clang__)
#define BARE __attribute__((disable_sanitizer_instrumentation))
#else
#define BARE
#endif

extern char **environ;

struct start {
    const char *path;
    int socket;
    volatile int error;
};

/* Between clone() and exec: system calls only. */
BARE static int become_worker(void *arg)
{
    struct start *start = arg;
    char *const arguments[] = { (char *)"rondo-worker", NULL };
    long result;
    /* When the thread that started it ends, which is its pool's worker, or the whole parent. */
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (start->socket == RONDO_WORKER_SOCKET)
        result = syscall(SYS_fcntl, start->socket, F_SETFD, 0);
    else
        result = syscall(SYS_dup3, start->socket, RONDO_WORKER_SOCKET, 0);
    if (result >= 0)
        syscall(SYS_execve, start->path, arguments, environ);
    start->error = errno;
    return 127;
}

static int32_t clone_worker(struct start *start, int *out_pidfd)
{
    enum { STACK = 65536 };
    sigset_t all, before;
    char *stack = malloc(STACK);
    if (stack == NULL)
        return ENOMEM;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    char *top = (char *)((uintptr_t)(stack + STACK) & ~(uintptr_t)15);
    int pid = clone(become_worker, top, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, start, out_pidfd);
    int error = pid < 0 ? errno : start->error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(stack);
    if (pid >= 0 && error != 0)
        rondo_shim_end_process(*out_pidfd, 0);
    return error;
}

int32_t rondo_shim_start_process(const char *path, int32_t *out_socket, int32_t *out_pidfd)
{
    int ends[2], pidfd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    struct start start = { path, ends[1], 0 };
    int error = clone_worker(&start, &pidfd);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return error;
    }
    *out_socket = ends[0];
    *out_pidfd = pidfd;
    return 0;
}

struct rondo_process_end rondo_shim_end_process(int32_t pidfd, int32_t must_kill)
{
    struct rondo_process_end end = { RONDO_END_UNKNOWN, 0 };
    siginfo_t info;
    int result;
    if (must_kill)
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    do {
        memset(&info, 0, sizeof info);
        result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
    } while (result != 0 && errno == EINTR);
    close(pidfd);
    if (result == 0) {
        end.how = info.si_code == CLD_EXITED ? RONDO_END_EXITED : RONDO_END_KILLED;
        end.number = info.si_status;
    }
    return end;
}

char *rondo_shim_worker_path(void)
{
    static const char tail[] = "/" RONDO_WORKER_PATH;
    struct link_map *map;
    Dl_info info;
    if (dladdr1((void *)(uintptr_t)rondo_shim_worker_path, &info, (void **)&map, RTLD_DL_LINKMAP) == 0) {
        errno = ENOENT;
        return NULL;
    }
    /* In a program the library is the program, and what its name is said to be, argv[0], is its caller's word. */
    char *library = realpath(map->l_name[0] != '\0' ? map->l_name : "/proc/self/exe", NULL);
    if (library == NULL)
        return NULL;
    char *slash = strrchr(library, '/');
    size_t size = (size_t)(slash - library);
    char *path = malloc(size + sizeof tail);
    if (path != NULL) {
        memcpy(path, library, size);
        memcpy(path + size, tail, sizeof tail);
    }
    free(library);
    return path;
}
