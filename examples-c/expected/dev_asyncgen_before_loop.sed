# where it lies differs from run to run
s/ at 0x[0-9a-f]*>/ at 0x...>/
