"""What the service tells, for those who sit before a terminal; asked over HTTP like by any other program."""
