/* Posting with GLib: a source per call attached from the other thread, which GLib allows. */
#include "threads.h"

#include <glib.h>

struct loop {
    GMainContext *context;
    GMainLoop *main;
};

struct posted_call {
    call_fn fn;
    void *arg;
};

static gboolean on_source(gpointer data)
{
    struct posted_call *call = data;

    call->fn(call->arg);
    return G_SOURCE_REMOVE;
}

static struct loop *loop_make(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    BENCH_CHECK(loop != NULL);
    loop->context = g_main_context_new();
    loop->main = g_main_loop_new(loop->context, FALSE);
    return loop;
}

static void loop_post(struct loop *loop, call_fn fn, void *arg)
{
    struct posted_call *call = g_new(struct posted_call, 1);
    GSource *source = g_idle_source_new();

    call->fn = fn;
    call->arg = arg;
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, on_source, call, g_free);
    g_source_attach(source, loop->context);
    g_source_unref(source);
}

static void loop_run(struct loop *loop)
{
    g_main_loop_run(loop->main);
}

static void loop_end(struct loop *loop)
{
    g_main_loop_quit(loop->main);
}
