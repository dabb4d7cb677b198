/* Jobs with GLib: g_thread_pool_push, and an idle source for the loop from the other thread. */
#include "executor.h"

#include <glib.h>

static GMainContext *context;
static GMainLoop *loop;
static GThreadPool *pool;

static gboolean done(gpointer arg)
{
    (void)arg;
    bench_job_done();
    return G_SOURCE_REMOVE;
}

static void job(gpointer data, gpointer user_data)
{
    GSource *source = g_idle_source_new();

    (void)user_data;
    bench_job(GPOINTER_TO_INT(data) - 1);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, done, NULL, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
}

static void pool_open(void)
{
    context = g_main_context_new();
    loop = g_main_loop_new(context, FALSE);
    pool = g_thread_pool_new(job, NULL, WORKERS, TRUE, NULL);
    BENCH_CHECK(pool != NULL);
}

static void pool_submit(int index)
{
    BENCH_CHECK(g_thread_pool_push(pool, GINT_TO_POINTER(index + 1), NULL));
}

static void pool_run(void)
{
    g_main_loop_run(loop);
}

static void pool_stop(void)
{
    g_main_loop_quit(loop);
}
