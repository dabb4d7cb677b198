# directories differ from build to build
s#\(File "\|created at \)[^">]*/\(dev_\)#\1\2#
