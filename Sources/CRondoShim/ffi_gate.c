/* ffi_gate.c - the only file that talks to libffi.
 *
 * Nothing of libffi is set up when the library is loaded: hardened systems refuse its closures,
 * and that must be the status of one call, not the reason why a program does not start. */
#include "rondo_shim.h"

#include <ffi.h>

int32_t rondo_shim_ffi_probe(void)
{
    ffi_cif cif;
    ffi_type *parameters[] = { &ffi_type_pointer };
    return ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 1, &ffi_type_void, parameters) == FFI_OK;
}
