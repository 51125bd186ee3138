"""Dodo Payments, under `{root}/dodo`: checkout, payments, refunds, disputes and their webhooks. No money moves."""
