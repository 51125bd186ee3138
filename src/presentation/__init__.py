"""What drives the application: HTTP, the worker, the command line. Thin."""
