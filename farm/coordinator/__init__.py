"""Worker processes and their sockets: everything that acts."""
