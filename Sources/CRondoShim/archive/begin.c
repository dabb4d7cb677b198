/* begin.c - the first code of librondo.a. In a program that is linked with it the library is no
 * object of its own; all between this and end.c is the library's. */
#include "rondo_shim.h"

void rondo_shim_code_begin(void)
{
}
