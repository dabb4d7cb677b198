s/ at 0x[0-9a-f]*>/ at ADDRESS>/
