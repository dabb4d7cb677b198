/* end.c - the last code of librondo.a; see begin.c. */
#include "rondo_shim.h"

void rondo_shim_code_end(void)
{
}
