/*
 * isolated_lua.c - one Lua interpreter per worker: Lua functions that run at the same time.
 *
 * A Lua state may be used by one thread at a time. Here each worker of a pool makes one of its own
 * when it starts, and ends it before it ends; jobs find it with rondo_job_get_state(). That is what
 * InterpreterPoolExecutor is for. The script is loaded once per worker, not once per job.
 *
 * The first jobs meet at a barrier, so that all interpreters have been running at once.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <rondo.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, JOBS = 12 };

static const char script[] =
    "calls = 0                                   -- this interpreter's own\n"
    "function primes(limit)                      -- how many primes are below limit\n"
    "  local count, composite = 0, {}\n"
    "  for n = 2, limit - 1 do\n"
    "    if not composite[n] then\n"
    "      count = count + 1\n"
    "      for m = n * n, limit - 1, n do composite[m] = true end\n"
    "    end\n"
    "  end\n"
    "  calls = calls + 1\n"
    "  return count\n"
    "end\n"
    "function fail() error('no such luck', 0) end\n";

static pthread_barrier_t all_run;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int interpreters, calls_in_all;

/* ---- the state of a worker ---------------------------------------------------------------------- */

static rondo_status open_lua(void *arg, void **out_state)
{
    lua_State *lua = luaL_newstate();
    (void)arg;
    if (lua == NULL)
        return -ENOMEM;
    luaL_openlibs(lua);
    if (luaL_dostring(lua, script) != LUA_OK) {
        lua_close(lua);
        return -EINVAL;
    }
    pthread_mutex_lock(&lock);
    interpreters++;
    pthread_mutex_unlock(&lock);
    *out_state = lua;
    return RONDO_OK;
}

static void close_lua(void *arg, void *state)
{
    lua_State *lua = state;
    (void)arg;
    lua_getglobal(lua, "calls");
    pthread_mutex_lock(&lock);
    calls_in_all += (int)lua_tointeger(lua, -1);
    pthread_mutex_unlock(&lock);
    lua_close(lua);
}

/* ---- a job: call a Lua function ------------------------------------------------------------------ */

struct call {
    const char *function;
    lua_Integer argument;
    lua_Integer result;
    int meets; /* the others, before it begins */
};

static rondo_status run_lua(rondo_job *job, void *arg)
{
    struct call *call = arg;
    void *state = NULL;
    rondo_status status = rondo_job_get_state(job, &state);
    lua_State *lua = state;
    if (status != RONDO_OK)
        return status;
    if (call->meets)
        pthread_barrier_wait(&all_run);
    lua_getglobal(lua, call->function);
    lua_pushinteger(lua, call->argument);
    if (lua_pcall(lua, 1, 1, 0) == LUA_OK) {
        call->result = lua_tointeger(lua, -1);
        lua_settop(lua, 0);
        return rondo_job_return(job, call, NULL);
    }
    /* What Lua raised is what the future raises. */
    rondo_error *error = NULL;
    status = rondo_error_new(RONDO_DOMAIN_USER, 1, lua_tostring(lua, -1), &error);
    lua_settop(lua, 0);
    if (status == RONDO_OK) {
        status = rondo_job_raise(job, error);
        rondo_error_release(error);
    }
    return status;
}

/* ---- the program --------------------------------------------------------------------------------- */

static void check(rondo_status status, const char *what)
{
    if (status == RONDO_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, rondo_status_message(status));
    exit(1);
}

int main(void)
{
    rondo_thread_pool_options options = { .size = sizeof options, .max_workers = WORKERS, .name = "lua",
                                          .make = open_lua, .end = close_lua };
    struct call calls[JOBS], failing = { .function = "fail" };
    rondo_future *futures[JOBS], *failed = NULL;
    rondo_loop *loop = NULL;
    rondo_executor *pool = NULL;
    rondo_error *error = NULL;

    pthread_barrier_init(&all_run, NULL, WORKERS);
    check(rondo_loop_new(NULL, &loop), "loop");
    check(rondo_executor_new_thread_pool(&options, &pool), "pool");
    for (int i = 0; i < JOBS; i++) {
        calls[i] = (struct call){ .function = "primes", .argument = 1000 * (i + 1), .meets = i < WORKERS };
        check(rondo_loop_run_in_executor(loop, pool, NULL, run_lua, &calls[i], NULL, &futures[i]), "run");
    }
    check(rondo_loop_run_in_executor(loop, pool, NULL, run_lua, &failing, NULL, &failed), "run");

    for (int i = 0; i < JOBS; i++) {
        void *value = NULL;
        check(rondo_loop_run_until_complete(loop, (rondo_awaitable *)futures[i], NULL), "wait");
        check(rondo_future_result(futures[i], &value), "result");
        struct call *call = value;
        printf("primes below %5d: %d\n", (int)call->argument, (int)call->result);
        rondo_future_release(futures[i]);
    }
    check(rondo_loop_run_until_complete(loop, (rondo_awaitable *)failed, NULL), "wait");
    check(rondo_future_exception(failed, &error), "exception");
    printf("fail() raised: %s\n", rondo_error_get_message(error));
    rondo_error_release(error);
    rondo_future_release(failed);

    check(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL), "shutdown");
    rondo_executor_release(pool);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
    pthread_barrier_destroy(&all_run);
    printf("%d interpreters, %d calls\n", interpreters, calls_in_all);
    return 0;
}
