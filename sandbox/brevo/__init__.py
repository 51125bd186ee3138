"""Brevo's transactional mail, under `{root}/brevo`; what was sent can be read there."""
