/* Loading GLib: one idle source on a main context of its own, one iteration. */
#include "load.h"

#include <glib.h>

static gboolean callback(gpointer arg)
{
    (void)arg;
    called++;
    return G_SOURCE_REMOVE;
}

static void load_and_use(void)
{
    GMainContext *context;
    GSource *source;

    load_open("libglib-2.0.so.0");
    LOAD(g_main_context_new);
    LOAD(g_idle_source_new);
    LOAD(g_source_set_callback);
    LOAD(g_source_attach);
    LOAD(g_source_unref);
    LOAD(g_main_context_iteration);
    LOAD(g_main_context_unref);
    context = my_g_main_context_new();
    source = my_g_idle_source_new();
    my_g_source_set_callback(source, callback, NULL, NULL);
    my_g_source_attach(source, context);
    my_g_source_unref(source);
    my_g_main_context_iteration(context, FALSE);
    my_g_main_context_unref(context);
}
