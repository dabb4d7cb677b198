s/^RuntimeWarning: //
