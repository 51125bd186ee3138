# The API, the worker and the operators' command: one image, and a command for each.
FROM python:3.13-slim-trixie AS build

RUN pip install --no-cache-dir uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN uv venv /opt/hairtryon
ENV VIRTUAL_ENV=/opt/hairtryon
WORKDIR /build

# What is needed changes less often than what is ours. Hashes are checked against the lock.
COPY pyproject.toml requirements.lock ./
RUN uv pip install --constraint requirements.lock --requirement pyproject.toml
COPY README.md ./
COPY src src
COPY sandbox sandbox
COPY migrations migrations
COPY catalogue catalogue
RUN uv pip install --no-deps .


FROM python:3.13-slim-trixie

RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hairtryon
COPY --from=build /opt/hairtryon /opt/hairtryon
ENV PATH=/opt/hairtryon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HAIRTRYON_ENV=prod
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM

# Nothing is written outside /tmp: the root may be read-only.
ENTRYPOINT ["hairtryon"]
CMD ["serve", "--host", "0.0.0.0"]
