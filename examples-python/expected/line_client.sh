# The summaries after 40 connections of $1, line_client.py, to $LINE_SERVER, which is built from
# examples-c/line_server.c; $RONDO_LIBRARY is the library.
set -u
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
awk 'BEGIN {
    for (i = 1; i <= 300; i++) print "line " i (i % 3 ? "" : "\n")
    printf "no newline at the end"
}' > "$scratch/lines"
mkfifo "$scratch/from-server"
"$LINE_SERVER" --once 40 > "$scratch/from-server" &
server=$!
exec 3< "$scratch/from-server"
read -r _ _ address <&3
python3 "$1" "${address##*:}" 40 "$scratch/lines"
status=$?
[ $status -eq 0 ] || kill $server
cat <&3
wait $server || status=1
exit $status
