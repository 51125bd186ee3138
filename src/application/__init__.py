"""The use cases: one command or query and its handler per file, over the ports it needs."""
