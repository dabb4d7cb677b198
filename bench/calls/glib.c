/*
 * call_soon with GLib: an idle source per call, as g_idle_add() makes, on a main context of its own.
 * g_main_context_invoke() would be no match: on the context's own thread it calls at once.
 */
#include "calls.h"

#include <glib.h>

static GMainContext *context;
static long left;

static gboolean nothing(gpointer arg)
{
    (void)arg;
    return G_SOURCE_REMOVE;
}

static void call_soon(GSourceFunc fn)
{
    GSource *source = g_idle_source_new();

    g_source_set_callback(source, fn, NULL, NULL);
    g_source_attach(source, context);
    g_source_unref(source);
}

static gboolean next(gpointer arg)
{
    (void)arg;
    if (--left > 0)
        call_soon(next);
    return G_SOURCE_REMOVE;
}

static void batch(long count)
{
    long i;

    for (; count > 0; count -= BATCH) {
        for (i = 0; i < BATCH; i++)
            call_soon(nothing);
        g_main_context_iteration(context, FALSE);
    }
    BENCH_CHECK(!g_main_context_pending(context));
}

static void chain(long count)
{
    left = count;
    call_soon(next);
    while (left > 0)
        g_main_context_iteration(context, FALSE);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    context = g_main_context_new();
    if (bench_is(argv, "batch"))
        return calls_measure(batch, count);
    if (bench_is(argv, "chain"))
        return calls_measure(chain, count);
    return bench_unknown(argv);
}
