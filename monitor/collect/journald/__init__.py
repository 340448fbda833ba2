"""systemd's journal, as its files have it: entries in order, followed as they are written and rotated."""
