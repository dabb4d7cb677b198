/* privileged.c - a program with rights that its caller lacks heeds no RONDO_ variable.
 *
 * The program is this one again: a copy with the set-group-ID bit and another group, and for comparison without.
 * It says what it sees before the kit's main() begins. */
#define _GNU_SOURCE
#include "coro.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the program that is asked --------------------------------------------------------------- */

/* One line on stdout. It does not come to that if RONDO_FAIL_ON counts and the future's error is reported. */
__attribute__((constructor)) static void say_what_counts(void)
{
    rondo_loop *loop = NULL;
    uint64_t seed = 0;
    if (getenv("PRIVILEGED_DEED") == NULL)
        return;
    if (rondo_loop_new(NULL, &loop) != RONDO_OK || rondo_loop_get_seed(loop, &seed) != RONDO_OK)
        _exit(1);
    if (strcmp(getenv("PRIVILEGED_DEED"), "report") == 0) {
        rondo_error *error = kit_error(5, "five");
        rondo_future *future = future_of(loop);
        CHECK_OK(rondo_future_set_exception(future, error));
        CHECK_OK(rondo_error_release(error));
        CHECK_OK(rondo_future_release(future));
    }
    printf("secure=%d debug=%d seed=%d\n", getauxval(AT_SECURE) != 0, (int)rondo_loop_get_debug(loop), (int)seed);
    fflush(stdout);
    _exit(0);
}

/* ---- asking it ------------------------------------------------------------------------------- */

static char output[4096];

/* Its exit status, or 128 + signal; what it wrote to stdout is in output. */
static int ask(const char *path, const char *deed)
{
    char variable[100], *argv[] = { "privileged", NULL };
    char *envp[] = { variable, "RONDO_DEBUG=1", "RONDO_SEED=7", "RONDO_FAIL_ON=unretrieved", NULL };
    int ends[2];
    size_t size = 0;
    ssize_t got;
    snprintf(variable, sizeof variable, "PRIVILEGED_DEED=%s", deed);
    CHECK_EQ_INT(pipe2(ends, O_CLOEXEC), 0);
    int pid = kit_fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(ends[1], 1);
        dup2(null, 2);
        execve(path, argv, envp);
        _exit(96);
    }
    close(ends[1]);
    while ((got = read(ends[0], output + size, sizeof output - 1 - size)) > 0)
        size += (size_t)got;
    output[size] = '\0';
    close(ends[0]);
    return kit_wait_child(pid);
}

static char copy[4096];

/* Copy this program beside itself, where it finds the library, too. */
static void make_copy(void)
{
    static char block[65536];
    ssize_t size = readlink("/proc/self/exe", copy, sizeof copy - 20);
    CHECK(size > 0);
    snprintf(copy + size, 20, ".%d", (int)getpid());
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    CHECK(from >= 0 && to >= 0);
    while ((size = read(from, block, sizeof block)) > 0)
        CHECK_EQ_INT(write(to, block, (size_t)size), size);
    close(from);
    close(to);
}

/* A group that this process may give a file to and that is not its own: any for root, else one it is in. */
static bool other_group(gid_t *group)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    *group = 65534;
    if (geteuid() == 0)
        return true;
    for (int i = 0; i < count; i++)
        if (groups[i] != getgid()) {
            *group = groups[i];
            return true;
        }
    return false;
}

KIT_TEST_WITHIN(the_environment_counts_without_privileges, 30)
{
    CHECK_EQ_INT(ask("/proc/self/exe", "look"), 0);
    CHECK_EQ_STR(output, "secure=0 debug=1 seed=7\n");
    CHECK_EQ_INT(ask("/proc/self/exe", "report"), 128 + SIGABRT);
}

KIT_TEST_WITHIN(the_environment_does_not_count_with_privileges, 30)
{
    gid_t group;
    if (KIT_SANITIZED) {
        kit_skip("a sanitizer's runtime is not made for programs with privileges");
        return;
    }
    if (!other_group(&group)) {
        kit_skip("this user is in one group only, and cannot make a program with privileges");
        return;
    }
    make_copy();
    CHECK_EQ_INT(chown(copy, (uid_t)-1, group), 0);
    CHECK_EQ_INT(chmod(copy, 02755), 0);
    int looked = ask(copy, "look"), reported = 0;
    char seen[sizeof output];
    strcpy(seen, output);
    if (looked == 0 && strncmp(seen, "secure=1", 8) == 0)
        reported = ask(copy, "report");
    CHECK_EQ_INT(unlink(copy), 0);
    CHECK_EQ_INT(looked, 0);
    if (strncmp(seen, "secure=0", 8) == 0) {
        kit_skip("the file system gives programs no privileges (nosuid)");
        return;
    }
    CHECK_EQ_STR(seen, "secure=1 debug=0 seed=0\n");
    CHECK_EQ_INT(reported, 0);
    CHECK_EQ_STR(output, seen);
}
