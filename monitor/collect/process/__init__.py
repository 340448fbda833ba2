"""What runs on this host, process by process: proc(5), read at a bounded cost."""
