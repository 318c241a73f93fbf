# One image for every process; what runs is the command. Build it with `docker compose build`.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
RUN pip install --no-cache-dir "uv>=0.9,<1"
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/sagamesh
WORKDIR /source
# Dependencies first: they change less often than the code, and this layer stays.
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --locked --no-default-groups --no-install-project
COPY . .
RUN uv sync --locked --no-default-groups --no-editable

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin sagamesh \
    # A named volume takes over owner and rights of the directory that it is first mounted on.
    && install --directory --owner sagamesh --group sagamesh --mode 0700 \
        /sagamesh/keys/users /sagamesh/keys/line_provider /sagamesh/keys/score_maker /sagamesh/keys/tickets \
        /sagamesh/keys/arq_worker \
    && install --directory --owner sagamesh --group sagamesh --mode 0755 /sagamesh /sagamesh/keys /sagamesh/keys/public
COPY --from=build /opt/sagamesh /opt/sagamesh
ENV PATH=/opt/sagamesh/bin:$PATH SAGAMESH_DATA_DIR=/sagamesh PYTHONUNBUFFERED=1
WORKDIR /sagamesh
USER sagamesh
CMD ["sagamesh", "--help"]
