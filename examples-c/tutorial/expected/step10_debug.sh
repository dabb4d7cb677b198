# What the program prints, the first report of debug mode, and how many there are.
set -u
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
RONDO_DEBUG=1 "$1" 2> "$log"
status=$?
sed -n 1,7p "$log"
echo "reports: $(grep -c 'never awaited' "$log")"
exit $status
