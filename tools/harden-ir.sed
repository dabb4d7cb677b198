# harden-ir.sed - what Embedded Swift leaves out of its LLVM IR and an honest, fast C library needs.
# Run by tools/compile-core, as `sed -E`, on the textual IR of the whole core.

# Swift forbids inlining at every call inside an @_cdecl entry, even of the shim's static inline functions.
# Only such a group, of a call and not of a function, carries no target: @inline(never) keeps its word.
/^attributes #[0-9]+ = \{ noinline/{
  /"target-cpu"/!s/ noinline / /
}

# Unwind tables (backtrace, gdb), stack probes (guard pages) and frame pointers (perf) in each function,
# also in one that came without any attribute group.
/^attributes #[0-9]+ = \{.*\}$/s/ \}$/ uwtable(async) "probe-stack"="inline-asm" "frame-pointer"="non-leaf" }/
/^define /{
  / #[0-9]+ /!{
    s/ (local_)?unnamed_addr / /
    s/^(define .*\)) (.*\{)$/\1 uwtable(async) "probe-stack"="inline-asm" "frame-pointer"="non-leaf" \2/
  }
}

# One module is the whole core: what is not a C entry has no other caller, so LLVM may inline it away.
s/^define protected swiftcc /define internal swiftcc /
