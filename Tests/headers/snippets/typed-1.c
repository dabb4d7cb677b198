/* typed-1.c - around the code in rondo/typed.h. */
#include <rondo.h>

struct window;
void resize(struct window *window, uint32_t width, uint32_t height); /* the program's own */

void wide(rondo_loop *loop, struct window *window)
{
    /* [snippet] */
}
