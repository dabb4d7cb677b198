# directories differ from build to build
s#\(File "\|created at \)[^">]*/\(dev_\)#\1\2#
# On a busy machine debug mode may find a callback slow.
/^Executing .* took /d
