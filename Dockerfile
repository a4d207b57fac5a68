# One file, three images:
#   operator      the operator and the command line
#   runner        what batch pods inject: a relocatable Python and the runner
#   claude-code   the runner with Claude Code, which may not be redistributed: you build it from binaries you fetch
#
# The base needs Python >= 3.11 with venv and pip; every stage uses the same one.
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM scratch AS source
COPY pyproject.toml README.md LICENSE /
COPY operator /operator
COPY runner /runner

# What changes seldom has layers of its own: the relocatable Python, the dependencies, and apart from them the code.
# Bytecode is compiled once and never checked against file times, so that it stays valid in every copy and starts
# fast on a read-only root.
FROM ${BASE_IMAGE} AS python
COPY runner/relocate.py /tmp/relocate.py
RUN python3 /tmp/relocate.py /opt/benchwarden/python

FROM ${BASE_IMAGE} AS code
COPY locks/build.txt /tmp/build.txt
RUN set -eu; \
    python3 -m venv --without-pip /opt/benchwarden/venv; \
    python3 -m pip --python /opt/benchwarden/venv/bin/python3 --no-cache-dir --disable-pip-version-check \
        install --target /tmp/backend --only-binary :all: --require-hashes -r /tmp/build.txt
COPY --from=source / /tmp/source
RUN set -eu; \
    PYTHONPATH=/tmp/backend python3 -m pip --python /opt/benchwarden/venv/bin/python3 --no-cache-dir \
        --disable-pip-version-check install --no-compile --no-deps --no-build-isolation /tmp/source; \
    mkdir /opt/benchwarden/app; \
    cp -r /tmp/source/runner/benchwarden_runner /opt/benchwarden/app/; \
    printf 'from benchwarden_runner.__main__ import main\n\nraise SystemExit(main())\n' \
        > /opt/benchwarden/app/__main__.py; \
    python3 -m compileall -q --invalidation-mode unchecked-hash /opt/benchwarden/app /opt/benchwarden/venv/lib; \
    cd /opt/benchwarden/venv; \
    rm -r pyvenv.cfg include lib64 bin/python* bin/[Aa]ctivate*

FROM ${BASE_IMAGE} AS runner
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="benchwarden-runner" \
      org.opencontainers.image.description="Runs and grades one benchmark instance inside its own image" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=python /opt/benchwarden/python /opt/benchwarden/python
COPY --from=code /opt/benchwarden/app /opt/benchwarden/app
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 65532:65532
CMD ["python3", "-I", "/opt/benchwarden/app", "--help"]

# The Kubernetes client's hundreds of model classes stay source: the operator speaks raw JSON and never imports them.
FROM ${BASE_IMAGE} AS dependencies
COPY locks/runtime.txt /tmp/runtime.txt
RUN set -eu; \
    python3 -m venv --without-pip /opt/benchwarden/venv; \
    python3 -m pip --python /opt/benchwarden/venv/bin/python3 --no-cache-dir --disable-pip-version-check \
        install --no-compile --only-binary :all: --require-hashes -r /tmp/runtime.txt; \
    find /opt/benchwarden/venv -path '*/site-packages/*' -type d -name tests -prune -exec rm -r {} +; \
    python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/kubernetes/(aio/)?client/(api|models)/' /opt/benchwarden/venv

FROM ${BASE_IMAGE} AS operator
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="benchwarden" \
      org.opencontainers.image.description="Tells whether your coding agent has got worse, with honest statistics" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=dependencies /opt/benchwarden/venv /opt/benchwarden/venv
COPY --from=code /opt/benchwarden/venv /opt/benchwarden/venv
# Any user id and a read-only root will do: what must be written goes to /tmp.
ENV PATH=/opt/benchwarden/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 65532:65532
ENTRYPOINT ["benchwarden"]

# Fill the folder claude-code/ of the build context first: claude-glibc, claude-musl (optional), VERSION, SHA256SUMS.
FROM ${BASE_IMAGE} AS claude-code-checked
ARG CLAUDE_CODE_VERSION
COPY claude-code /tmp/claude-code
RUN set -eu; \
    cd /tmp/claude-code; \
    test "$(cat VERSION)" = "${CLAUDE_CODE_VERSION}" || { \
        echo "build-arg CLAUDE_CODE_VERSION is '${CLAUDE_CODE_VERSION}', claude-code/VERSION '$(cat VERSION)'" >&2; exit 1; }; \
    sha256sum --check --strict SHA256SUMS; \
    mkdir /opt/claude-code; \
    install -m 0644 VERSION SHA256SUMS /opt/claude-code; \
    install -m 0755 claude-glibc /opt/claude-code; \
    if test -e claude-musl; then install -m 0755 claude-musl /opt/claude-code; fi

FROM runner AS claude-code
ARG CLAUDE_CODE_VERSION
LABEL dev.benchwarden.claude-code.version="${CLAUDE_CODE_VERSION}"
COPY --from=claude-code-checked /opt/claude-code /opt/claude-code
