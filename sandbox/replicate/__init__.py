"""Replicate's HTTP API and one of its models, under `{root}/replicate`. https://replicate.com/docs/reference/http"""
