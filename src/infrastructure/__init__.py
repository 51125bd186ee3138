"""The adapters: one file per thing in the outside world, behind the ports of the application."""
