/*
 * fork_child.c - a program that forks: what the child may do with a loop of its parent.
 *
 * At first nothing: each call answers RONDO_E_WRONG_PROCESS, and the parent notices none of it. After
 * rondo_loop_reset_after_fork() the loop is the child's own, with what was scheduled. A child that
 * wants nothing of it makes a loop of its own.
 */
#include <rondo.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *who = "parent";

static void say(void *what)
{
    printf("%s: %s\n", who, (const char *)what);
}

/* One pass: what is ready now. */
static rondo_status run_once(rondo_loop *loop)
{
    rondo_status status = rondo_loop_stop(loop);
    return status == RONDO_OK ? rondo_loop_run_forever(loop) : status;
}

static void tell(const char *what, rondo_status status)
{
    printf("%s: %s: %s\n", who, what, rondo_status_name(status));
}

/* [child] */
static int child(rondo_loop *inherited, rondo_executor *pool)
{
    rondo_loop *loop = NULL;
    who = "child";
    tell("call_soon", rondo_loop_call_soon(inherited, say, "never", NULL, NULL));
    tell("run_forever", rondo_loop_run_forever(inherited));
    tell("the pool's report", rondo_executor_get_report(pool, &(rondo_executor_report){ .size = sizeof(rondo_executor_report) }));

    tell("a loop of its own", rondo_loop_new(NULL, &loop));
    rondo_loop_call_soon(loop, say, "hello from a loop of my own", NULL, NULL);
    tell("its run", run_once(loop));
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);

    tell("reset", rondo_loop_reset_after_fork(inherited));
    tell("run of the inherited loop", run_once(inherited));
    rondo_loop_close(inherited, NULL);
    rondo_loop_release(inherited);
    rondo_executor_release(pool);
    return 0;
}
/* [end] */

int main(void)
{
    rondo_loop *loop = NULL;
    rondo_executor *pool = NULL;
    int state = 0;

    if (rondo_loop_new(NULL, &loop) != RONDO_OK || rondo_executor_new_thread_pool(NULL, &pool) != RONDO_OK ||
        rondo_loop_call_soon(loop, say, "this was scheduled before the fork", NULL, NULL) != RONDO_OK)
        return 1;
    fflush(stdout); /* else the child has a copy of what is not written yet */
    pid_t pid = fork();
    if (pid == 0) {
        int result = child(loop, pool);
        fflush(stdout);
        _exit(result);
    }
    if (pid < 0 || waitpid(pid, &state, 0) != pid)
        return 1;
    tell("run", run_once(loop));
    rondo_executor_release(pool);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 1;
}
