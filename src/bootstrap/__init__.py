"""The only place that knows everybody: settings, container, entry points."""
