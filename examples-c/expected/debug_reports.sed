# directories differ from build to build, and how long it took from run to run
s#\(File "\|at \|by \)[^" ]*/\(debug_reports\)#\1\2#g
s#took [0-9.]* seconds#took 0.150 seconds#
# the function of a thread has a sanitizer's one around it
s#, by .*\(compiler-rt\|sanitizer\|[at]san\).*#, by debug_reports.c:52#
# who called the function that made it, and what a sleep is made of
/, in \(main\|example\)$/,+1d
s# wait_for=<Future pending[^>]*>##
