# directories differ from build to build
s#\(File "\)[^"]*/\(step10_\)#\1\2#
