/* async-2.c - around the second piece of code in rondo/async.h. */
#include <rondo.h>

struct limited {
    RONDO_FRAME;
    rondo_loop *loop;
    rondo_future *future;
    rondo_timeout *limit;
};

RONDO_STEP(limited_step)
{
    struct limited *self = frame;
    RONDO_BEGIN(self);
    /* [snippet] */
    RONDO_END(self);
}
