# Run recipe_postgres, which is $1, with a PostgreSQL server of its own: on a Unix socket in a directory that
# is removed afterwards. The server refuses to be root, so there it runs as another user.
# Status 77, "skipped", if the server's programs are not installed.
set -u
programs=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1)
[ -n "$programs" ] || programs=$(pg_config --bindir 2> /dev/null)
if [ ! -x "$programs/initdb" ] || [ ! -x "$programs/postgres" ]; then
    echo "skipped: no PostgreSQL server is installed (Debian's postgresql)" >&2
    exit 77
fi
directory=$(mktemp -d /tmp/recipe.XXXXXX) || exit 2 # short: the path of a socket has 107 bytes
user=
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" > /dev/null 2>&1 || user=nobody
    chown "$user" "$directory" || exit 2
fi

# As the user that the server runs as, without a sanitizer's settings.
as_user() {
    if [ -n "$user" ]; then
        (cd / && setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- \
            env -u ASAN_OPTIONS -u TSAN_OPTIONS HOME="$directory" "$@")
    else
        env -u ASAN_OPTIONS -u TSAN_OPTIONS "$@"
    fi
}

stop() {
    as_user "$programs/pg_ctl" -D "$directory/data" -m immediate -w stop > /dev/null 2>&1
    rm -rf "$directory"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

failed() {
    cat "$directory/log" "$directory/data/log" 2> /dev/null >&2
    echo "the server did not start" >&2
    exit 1
}

as_user "$programs/initdb" -D "$directory/data" -U recipe -A trust -E UTF8 --locale=C --no-sync \
    > "$directory/log" 2>&1 < /dev/null || failed
as_user "$programs/pg_ctl" -D "$directory/data" -l "$directory/data/log" -w -t 60 \
    -o "-c listen_addresses= -c unix_socket_directories=$directory -c fsync=off -c shared_buffers=1MB -c max_connections=10 -c autovacuum=off" \
    start > "$directory/log" 2>&1 < /dev/null || failed
"$1" "host=$directory user=recipe dbname=postgres"
