# The server's and the client's summaries after 60 connections with awkward lines: empty ones, long
# ones, one longer than every buffer on the way, and a last one without a newline.
# $1 is line_client; line_server lies beside it.
set -u
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
awk 'BEGIN {
    for (i = 1; i <= 400; i++) {
        line = ""
        for (j = 0; j < i % 120; j += 7) line = line i " lines "
        print line
    }
    long = "0123456789abcdef"
    while (length(long) < 300000) long = long long
    print long
    printf "no newline at the end"
}' > "$scratch/lines"
mkfifo "$scratch/from-server"
"$(dirname "$1")/line_server" --once 60 > "$scratch/from-server" &
server=$!
exec 3< "$scratch/from-server"
read -r _ _ address <&3
"$1" "${address##*:}" 60 "$scratch/lines"
status=$?
[ $status -eq 0 ] || kill $server
cat <&3
wait $server || status=1
exit $status
