/^elapsed: /d
