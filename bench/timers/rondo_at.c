/*
 * Timers with rondo, told absolute deadlines: the loop's time is read once for the whole lot.
 *
 * The other libraries count from the time at which the pass began. rondo_loop_call_later() counts from
 * now and so reads the clock for every timer; this shows what that costs.
 */
#define WITH_ABSOLUTE_DEADLINES
#include "rondo.c"
